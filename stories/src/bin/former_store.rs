//! `former_store SERVER EMAIL PASSWORD FILE`: a store as builds left it that did not encrypt, with a first sync behind it and
//! work of one person that has not reached the clinic. The browser's stories put it where such a build kept it.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a program for stories ends with its reason"
)]

use shared_model::commands::RegisterClient;
use shared_model::ids::ClientId;
use std::path::Path;
use std::time::Duration;
use stories::Device;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, email, password, file] = &arguments[..] else {
        eprintln!("former_store SERVER EMAIL PASSWORD FILE");
        std::process::exit(2);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads");
    runtime.block_on(async {
        let mut device = Device::fresh(server.parse().expect("an address"));
        device.sign_in(email, password).await;
        while device.step(Duration::from_millis(500)).await {}
        device.offline().await;
        let client = ClientId(device.fresh_id());
        device
            .must(RegisterClient {
                client,
                given_name: "Felix".to_owned(),
                family_name: "Falkenrath".to_owned(),
                phone: None,
                email: None,
                address: String::new(),
                preferred_channel: None,
            })
            .await;
        device.leave_store(Path::new(file));
    });
}
