//! How a client is told that changes of its were refused. The protocol has no word for it: its `error` ends the
//! connection, and the library shows it to nobody. So it is said as an ephemeral message about the document, which the
//! library hands to the application.

use minicbor::Encoder;
use shared_model::protocol::{Refusal, RefusalCode};
use std::convert::Infallible;

/// The first say what there is to know: the others build on them.
const MAX_NAMED: usize = 20;

/// `{type: "refused", count, changes: [{hash, code, reason}]}`, as CBOR.
pub(super) fn notice(refusals: &[Refusal]) -> Vec<u8> {
    let mut e = Encoder::new(Vec::new());
    write(&mut e, refusals).expect("writing to memory cannot fail");
    e.into_writer()
}

fn write(e: &mut Encoder<Vec<u8>>, refusals: &[Refusal]) -> Result<(), minicbor::encode::Error<Infallible>> {
    let named = &refusals[..refusals.len().min(MAX_NAMED)];
    e.map(3)?.str("type")?.str("refused")?;
    e.str("count")?.u64(refusals.len() as u64)?;
    e.str("changes")?.array(named.len() as u64)?;
    for refusal in named {
        let hash = hex::encode(refusal.change.as_slice());
        e.map(3)?;
        e.str("hash")?.str(&hash)?;
        e.str("code")?.str(word(refusal.code))?;
        e.str("reason")?.str(&refusal.reason)?;
    }
    Ok(())
}

fn word(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::NotPermitted => "not_permitted",
        RefusalCode::Undecodable => "undecodable",
        RefusalCode::MissingDependencies => "missing_dependencies",
        RefusalCode::ForeignActor => "foreign_actor",
        RefusalCode::ActorReused => "actor_reused",
        RefusalCode::OtherClinic => "other_clinic",
        RefusalCode::TooLarge => "too_large",
        RefusalCode::BuildsOnRefused => "builds_on_refused",
        RefusalCode::NewerSchema => "newer_schema",
        RefusalCode::NotSigned => "not_signed",
    }
}
