//! The keys: where they are not, and what does not open.

use super::*;

#[test]
fn after_a_lock_the_key_is_nowhere_in_memory() {
    let mut tablet = Tablet::off();
    // A key of its own: other stories may run in this process.
    tablet.world.dice.set(0xdecade);
    tablet.start();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.write().unwrap();
    // What to look for, so that looking for it does not put it there.
    let hidden = {
        let copy = tablet.folder.path().join("copy.db");
        std::fs::copy(tablet.folder.path().join("keys.db"), &copy).unwrap();
        let keyring = Keyring::new(Connection::open(&copy).unwrap()).unwrap();
        let key = keyring.open_by_password(ANA, PASSWORD).unwrap().unwrap();
        let spelled = key.spelled();
        spelled.bytes().map(|byte| byte ^ MASK).collect::<Vec<u8>>()
    };
    let digits = &hidden[2..66];
    let hidden_raw: Vec<u8> = digits
        .chunks(2)
        .map(|pair| {
            let digit = |byte: u8| char::from(byte ^ MASK).to_digit(16).unwrap() as u8;
            (digit(pair[0]) << 4 | digit(pair[1])) ^ MASK
        })
        .collect();
    let forms = [digits.to_vec(), hidden_raw];
    assert!(in_memory(&forms) > 0, "while it is open the key is somewhere");
    tablet.lock();
    assert_eq!(in_memory(&forms), 0);
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.write().unwrap();
    tablet.lock();
    assert_eq!(in_memory(&forms), 0);
}

const MASK: u8 = 0xa7;

/// How often any of these stands in what this process can write to, each hidden by a mask.
fn in_memory(forms: &[Vec<u8>]) -> usize {
    use std::io::{Read, Seek, SeekFrom};
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut found = 0;
    let mut part = vec![0; 1 << 20];
    let own = part.as_ptr() as u64;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (mut at, to) = (
            u64::from_str_radix(from, 16).unwrap(),
            u64::from_str_radix(to, 16).unwrap(),
        );
        while at < to {
            let length = usize::try_from((to - at).min(part.len() as u64)).unwrap();
            memory.seek(SeekFrom::Start(at)).unwrap();
            // Some regions belong to the kernel alone.
            if memory.read_exact(&mut part[..length]).is_err() {
                break;
            }
            for form in forms {
                let first = form[0] ^ MASK;
                for (index, window) in part[..length].windows(form.len()).enumerate() {
                    let here = at + index as u64;
                    let is_own = (own..own + part.len() as u64).contains(&here);
                    if window[0] == first
                        && !is_own
                        && window
                            .iter()
                            .zip(form)
                            .all(|(byte, hidden)| byte ^ MASK == *hidden)
                    {
                        found += 1;
                    }
                }
            }
            // What was found must not be found again here.
            part.fill(0);
            // Overlapping, so that nothing hides at the joint.
            at += if at + (length as u64) < to {
                (length - 128) as u64
            } else {
                length as u64
            };
        }
    }
    found
}

#[test]
fn a_wrong_key_opens_nothing_and_deletes_nothing() {
    let mut tablet = Tablet::new();
    tablet.sign_in(ANA, "Ana Moreno", PASSWORD);
    tablet.lock();
    tablet.runner = None;
    let before = std::fs::read(tablet.folder.path().join("records.db")).unwrap();
    let folder = Folder::new(tablet.folder.path().to_owned());
    let (vault, _) = Vault::open(folder, DeviceId(Uuid::from_u128(56))).unwrap();
    let refused = vault.records(&DataKey::mint(|bytes| bytes.fill(1))).unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
    drop(vault);
    assert_eq!(
        before,
        std::fs::read(tablet.folder.path().join("records.db")).unwrap()
    );
}

#[test]
fn a_keyring_of_a_newer_build_is_left_alone() {
    let mut tablet = Tablet::new();
    tablet.runner = None;
    let keys = Connection::open(tablet.folder.path().join("keys.db")).unwrap();
    keys.pragma_update(None, "user_version", 99).unwrap();
    drop(keys);
    let said = tablet.start();
    assert!(
        matches!(
            said[..],
            [FromCore::NoStore(HostTrouble::Storage(
                local_core::StorageTrouble::NewerStore
            ))]
        ),
        "{said:?}"
    );
}
