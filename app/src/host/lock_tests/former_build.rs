//! Records of a build that did not encrypt, on their way into encrypted ones.

use super::*;

/// A store as a former build left it: two people's work waits in it, and anybody can read it.
pub(super) fn former_store(folder: &Path) {
    let sql = Connection::open(folder.join("clinic.db")).unwrap();
    let mut core = Core::new(Store::new(sql).unwrap()).unwrap();
    let now = Timestamp(1_795_900_000_000);
    for (ticket, account, name) in [(1, BEN, "Ben Fischer"), (2, ANA, "Ana Moreno")] {
        let principal = Principal {
            account,
            clinic: CLINIC,
            roles: vec![Role::Veterinarian],
            client: None,
            name: name.to_owned(),
        };
        let credentials = Credentials {
            principal,
            access_token: format!("access-of-{name}"),
            access_expires: now,
            refresh_token: format!("refresh-of-{name}"),
        };
        core.handle(
            now,
            Event::SignedIn {
                credentials,
                device: DeviceId(Uuid::from_u128(55)),
                fresh_actor: [u8::try_from(ticket).unwrap(); 16],
                fresh_key: KeySeed([u8::try_from(ticket).unwrap(); 32]),
            },
        );
        core.handle(
            now,
            Event::Command {
                ticket,
                command: client(u128::from(ticket)),
            },
        );
        // Such a build signed nothing.
        core.store()
            .clear_meta(&format!("signing key {account}"))
            .unwrap();
    }
}

#[test]
fn a_former_builds_store_is_taken_over_when_somebody_signs_in() {
    let mut tablet = Tablet::off();
    former_store(tablet.folder.path());
    // Nobody is kept from their work meanwhile.
    let said = tablet.start();
    assert!(is_in(&said));
    let former = said
        .iter()
        .any(|message| matches!(message, FromCore::Protection(protection) if protection.is_former));
    assert!(former, "{said:?}");
    tablet.write().unwrap();
    tablet.later(600);
    assert!(
        locked(&tablet.ask(ToCore::Active)).is_none(),
        "nobody could unlock it yet"
    );

    let former = tablet.world.socket.get();
    tablet.input(Input::SocketOpened(former));
    tablet.input(Input::Response(Purpose::Renew(ANA, 0), None));
    assert!(is_in(&tablet.sign_in(ANA, "Ana Moreno", PASSWORD)));
    let wake = tablet.world.wake.get();
    tablet.input(Input::SocketClosed(former));
    assert_eq!(
        tablet.world.wake.get(),
        wake,
        "the new store has a socket of its own"
    );
    let posted = tablet.world.posted.borrow().clone();
    let (_, asked) = posted
        .iter()
        .find(|(purpose, _)| matches!(purpose, Purpose::SignIn(_)))
        .unwrap();
    assert!(
        asked.contains(&DeviceId(Uuid::from_u128(55)).to_string()),
        "it is the same device: {asked}"
    );
    tablet.assert_nothing_is_readable();
    assert_eq!(tablet.lock().waiting, Some(3), "everybody's work came along");
    tablet.start();
    tablet.unlock(ANA, Way::Password, PASSWORD).unwrap();
    tablet.write().unwrap();
    assert_eq!(tablet.lock().waiting, Some(4));
}

/// Copies the files as they are whenever something is done to them: what a death at that moment would leave.
struct Dying {
    folder: Folder,
    path: PathBuf,
    left: Arc<Mutex<Vec<TempDir>>>,
}

fn leave(path: &Path, left: &Mutex<Vec<TempDir>>) {
    let copy = tempfile::tempdir().unwrap();
    for file in files_of(path) {
        std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    left.lock().unwrap().push(copy);
}

impl Files for Dying {
    fn exists(&self, name: &str) -> bool {
        self.folder.exists(name)
    }

    fn open(&self, name: &str) -> Result<Connection, StoreError> {
        leave(&self.path, &self.left);
        let sql = self.folder.open(name)?;
        // Within its transactions as well.
        let (path, left) = (self.path.clone(), Arc::clone(&self.left));
        let look = move || {
            leave(&path, &left);
            false
        };
        sql.progress_handler(STEP, Some(look))?;
        Ok(sql)
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        leave(&self.path, &self.left);
        let done = self.folder.delete(name);
        leave(&self.path, &self.left);
        done
    }
}

/// Steps of SQLite's machine between two looks.
const STEP: i32 = 10;

#[test]
fn wherever_the_take_over_dies_the_former_store_counts_or_the_encrypted_one() {
    let folder = tempfile::tempdir().unwrap();
    former_store(folder.path());
    let key = DataKey::mint(|bytes| bytes.fill(0x5e));
    let left = Arc::new(Mutex::new(Vec::new()));
    let files = Dying {
        folder: Folder::new(folder.path().to_owned()),
        path: folder.path().to_owned(),
        left: Arc::clone(&left),
    };
    let (vault, _) = Vault::open(files, DeviceId(Uuid::from_u128(55))).unwrap();
    assert_eq!(vault.found().unwrap(), Found::Former);
    let fresh = Fresh {
        salt: [1; 16],
        nonce: [2; 24],
    };
    vault.keyring.remember(ANA, "Ana Moreno", Timestamp(0)).unwrap();
    vault.keyring.set_password(ANA, PASSWORD, &key, fresh).unwrap();
    vault.seal_former(&key).unwrap();
    drop(vault);
    leave(folder.path(), &left);

    let (mut former, mut sealed) = (0, 0);
    let copies = left.lock().unwrap();
    for copy in copies.iter() {
        let folder = || Folder::new(copy.path().to_owned());
        let (vault, _) = Vault::open(folder(), DeviceId(Uuid::from_u128(56))).unwrap();
        let core = match vault.found().unwrap() {
            Found::Former => {
                former += 1;
                assert_eq!(
                    vault.keyring.people(Timestamp(0)).unwrap(),
                    [],
                    "nobody is asked to unlock it"
                );
                vault.former().unwrap()
            }
            Found::Sealed => {
                sealed += 1;
                let opened = vault.keyring.open_by_password(ANA, PASSWORD).unwrap().unwrap();
                assert!(!copy.path().join("clinic.db").exists());
                vault.records(&opened).unwrap()
            }
            Found::Nothing => panic!("everything is gone"),
        };
        let waiting: u64 = core
            .store()
            .outbox_counts()
            .unwrap()
            .iter()
            .map(|(_, counts)| counts.waiting)
            .sum();
        assert_eq!(waiting, 2);
    }
    assert!(
        former > 20 && sealed > 1,
        "{former} with the former store, {sealed} encrypted"
    );
}
