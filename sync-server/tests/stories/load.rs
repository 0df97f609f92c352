//! Devices that write as long as they are let, whatever happens to the server.

use crate::device::{Device, Heard};
use crate::practice::{fresh_id, register_client};
use shared_model::ids::ClientId;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A load that does not get on for longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Load {
    acknowledged: watch::Sender<usize>,
    stop: CancellationToken,
}

impl Load {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            acknowledged: watch::Sender::new(0),
            stop: CancellationToken::new(),
        })
    }

    /// Waits until so many more writes were acknowledged, to all devices together.
    pub async fn goes_on_for(&self, count: usize) {
        let goal = *self.acknowledged.borrow() + count;
        let mut acknowledged = self.acknowledged.subscribe();
        tokio::time::timeout(PATIENCE, acknowledged.wait_for(|sum| *sum >= goal))
            .await
            .expect("the load goes on")
            .expect("it is counted");
    }

    pub fn stop(&self) {
        self.stop.cancel();
    }
}

/// Writes one client after the other, reconnecting as devices do: at the next node if one is away. Gives back what was
/// acknowledged.
pub async fn keep_writing(
    mut device: Device,
    nodes: Vec<SocketAddr>,
    load: Arc<Load>,
) -> (Device, Vec<ClientId>) {
    let mut acknowledged = Vec::new();
    let mut nodes = nodes.into_iter().cycle();
    while !load.stop.is_cancelled() {
        let client = fresh_id(ClientId);
        device.run(register_client(client, "Under load"));
        while !device.outbox.is_empty() {
            if !device.is_online() && !device.try_connect().await {
                device.server = nodes.next().expect("one node at least");
                // As a device that has been told to come back later.
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
            device.push().await;
            while !device.outbox.is_empty() {
                if matches!(device.hear().await, Heard::Goodbye(_) | Heard::Gone) {
                    device.offline();
                    break;
                }
            }
        }
        acknowledged.push(client);
        load.acknowledged.send_modify(|sum| *sum += 1);
    }
    (device, acknowledged)
}
