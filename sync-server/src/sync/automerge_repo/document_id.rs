//! Document ids as automerge-repo writes them: 16 bytes in base58 with a checksum. Ours are UUIDs of 16 bytes, so each
//! is the other in different clothes.

use shared_model::ids::DocumentId;

/// 16 bytes and a checksum of 4 take at most 28 characters; what is longer is not looked at.
const MAX_TEXT: usize = 40;

/// `None` for what no document is called.
pub(super) fn read(text: &str) -> Option<DocumentId> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let bytes = bs58::decode(text).with_check(None).into_vec().ok()?;
    DocumentId::from_slice(&bytes)
}

pub(super) fn write(id: DocumentId) -> String {
    bs58::encode(id.bytes()).with_check().into_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_id_has_one_name() {
        // As automerge-repo's `stringifyAutomergeUrl` gives them for these bytes.
        for (uuid, name) in [
            (Uuid::nil(), "11111111111111114Ki9Gx"),
            (Uuid::from_u128(0x200), "11111111111111zqVbLo3"),
            (Uuid::max(), "4ZrjxJnU1LA5xSyrWMNuXTozYEvA"),
        ] {
            assert_eq!(write(DocumentId(uuid)), name);
            assert_eq!(read(name), Some(DocumentId(uuid)));
        }
        let name = write(DocumentId(Uuid::max()));
        let mut mistyped = name.clone();
        mistyped.replace_range(3..4, if &name[3..4] == "a" { "b" } else { "a" });
        for text in [
            "",
            "0",
            &mistyped,
            &name[1..],
            &"1".repeat(10_000),
            "01970000-0000-7000-8000-000000000000",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
