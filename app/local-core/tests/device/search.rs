//! Search as people type it.

use crate::clinic::Device;
use local_core::query::Hit;
use local_core::{Query, View};
use shared_model::commands::{EditClient, EditPatient, ReportDeath};

fn found(device: &mut Device, typed: &str) -> Vec<String> {
    match device.look(Query::Search(typed.to_owned())) {
        View::Search(view) => view
            .hits
            .into_iter()
            .map(|hit| match hit {
                Hit::Patient { pet, owner, .. } => format!("{} of {owner}", pet.name),
                Hit::Client { name, .. } => name,
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_phones_chips_prefixes_and_accents() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Nováková", "+420 601 555 014");
    let lukasz = device.client("Łukasz", "Wójcik", "+48 512 000 111");
    device.pet(petra, "Rex", "203 164 000 123 456");
    let other_rex = device.pet(lukasz, "Rex", "");
    device.pet(petra, "Žofka", "");

    assert_eq!(
        found(&mut device, "rex"),
        ["Rex of Petra Nováková", "Rex of Łukasz Wójcik"]
    );
    assert_eq!(found(&mut device, "rex nov"), ["Rex of Petra Nováková"]);
    assert_eq!(found(&mut device, "wojcik rex"), ["Rex of Łukasz Wójcik"]);
    assert_eq!(found(&mut device, "zof"), ["Žofka of Petra Nováková"]);
    assert_eq!(found(&mut device, "lukasz"), ["Łukasz Wójcik"]);
    assert_eq!(
        found(&mut device, "601 555"),
        ["Petra Nováková"],
        "without the country code"
    );
    assert_eq!(found(&mut device, "5014"), ["Petra Nováková"], "the last digits");
    assert_eq!(found(&mut device, "203164000"), ["Rex of Petra Nováková"]);
    assert_eq!(
        found(&mut device, "123456"),
        ["Rex of Petra Nováková"],
        "the chip's last digits"
    );
    assert_eq!(found(&mut device, "nov 601555014 rex"), ["Rex of Petra Nováková"]);
    assert_eq!(found(&mut device, "rex 601"), ["Rex of Petra Nováková"]);
    assert_eq!(
        found(&mut device, "petra novak"),
        ["Petra Nováková"],
        "no word is a pet's own"
    );
    assert_eq!(found(&mut device, "nobody"), [""; 0]);
    assert_eq!(found(&mut device, "\" OR 1=1 --"), [""; 0]);
    assert_eq!(found(&mut device, ""), [""; 0]);

    device.must(EditClient {
        family_name: Some("Procházková".to_owned()),
        ..EditClient::of(petra)
    });
    assert_eq!(found(&mut device, "rex nov"), [""; 0], "the owner's old name");
    assert_eq!(found(&mut device, "rex proch"), ["Rex of Petra Procházková"]);
    device.must(EditClient {
        family_name: Some("Nováková".to_owned()),
        ..EditClient::of(petra)
    });

    device.must(EditPatient {
        name: Some("Max".to_owned()),
        ..EditPatient::of(other_rex)
    });
    assert_eq!(
        found(&mut device, "rex"),
        ["Rex of Petra Nováková"],
        "the old name is out of the index"
    );
    device.must(ReportDeath {
        patient: other_rex,
        on: jiff::civil::date(2026, 11, 1),
    });
    assert_eq!(
        found(&mut device, "max"),
        ["Max of Łukasz Wójcik"],
        "the dead are still found"
    );
}

#[test]
fn a_name_that_goes_and_comes_back_is_found_each_time() {
    let mut device = Device::new();
    let owner = device.client("Petra", "Novak", "+420 601 555 014");
    device.pet(owner, "Rex", "");
    let rename = |device: &mut Device, name: &str| {
        device.must(EditClient {
            family_name: Some(name.to_owned()),
            ..EditClient::of(owner)
        });
    };
    for (name, other) in [("Horak", "novak"), ("Novak", "horak"), ("Horak", "novak")] {
        rename(&mut device, name);
        // Something else changes, and the index is left as it is.
        device.must(EditClient {
            address: Some(format!("{name} 4")),
            ..EditClient::of(owner)
        });
        let of = format!("Rex of Petra {name}");
        assert_eq!(found(&mut device, &format!("rex {name}")), [of]);
        assert_eq!(found(&mut device, other), [""; 0]);
    }
}
