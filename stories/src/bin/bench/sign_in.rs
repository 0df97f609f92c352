//! Whether people who sign in, all at once, slow down those who work: edits from one screen to another, alone and
//! beside sign-ins that never pause.

use crate::live::{clients, edit};
use crate::{Row, percentile, row};
use std::time::{Duration, Instant};
use stories::Clinic;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// People at as many devices, each signing in again as soon as they are in.
const AT_ONCE: usize = 6;
const WARM_UP: usize = 100;
/// Alone and beside sign-ins in turns, so that both have the machine's better and worse moments.
const TURNS: usize = 6;
const EDITS: usize = 100;

pub(crate) async fn rows(database: Option<&str>) -> Vec<Row> {
    let demo = demonstration::clinic_with(demonstration::Options {
        seed: 1,
        patients: 500,
        years: 1,
        now: stories::now(),
    });
    let mut clinic = Clinic::of_in(demo, database).await;
    clinic.stop().await;
    // All of these people come from this machine, and no limit for one address is to be measured.
    clinic
        .revive_with(|settings| settings.request_limits.secrets.at_once = u32::MAX)
        .await;
    let [mut desk, mut vet] = clinic.two_devices().await;
    let clients = clients(&mut desk).await;
    let mut number = 0;
    let (mut alone, mut beside, mut sign_ins) = (Vec::new(), Vec::new(), Vec::new());
    let mut busy = Duration::ZERO;
    for turn in 0..=TURNS * 2 {
        let load = match turn > 0 && turn % 2 == 0 {
            true => Some(Load::under_way(&clinic).await),
            false => None,
        };
        let edits = if turn == 0 { WARM_UP } else { EDITS };
        let mut times = Vec::with_capacity(edits);
        for _ in 0..edits {
            number += 1;
            let client = clients[number % clients.len()];
            times.push(
                edit(&clinic, &mut desk, &mut vet, client, number)
                    .await
                    .iter()
                    .sum::<f64>(),
            );
        }
        match load {
            Some(load) => {
                let (lasted, took) = load.stop().await;
                busy += lasted;
                beside.extend(times);
                sign_ins.extend(took);
            }
            None if turn > 0 => alone.extend(times),
            None => {}
        }
    }
    let of = match database {
        None => "",
        Some(_) => "postgres_",
    };
    let at = |times: &mut Vec<f64>, percent| percentile(times, percent);
    let [alone_p50, alone_p99] = [50.0, 99.0].map(|percent| at(&mut alone, percent));
    let [beside_p50, beside_p99] = [50.0, 99.0].map(|percent| at(&mut beside, percent));
    vec![
        row(
            format!("sign_in_{of}per_second"),
            sign_ins.len() as f64 / busy.as_secs_f64(),
            "1/s",
            None,
        ),
        row(format!("sign_in_{of}p50_ms"), at(&mut sign_ins, 50.0), "ms", None),
        row(format!("sign_in_{of}p99_ms"), at(&mut sign_ins, 99.0), "ms", None),
        row(format!("live_edit_{of}alone_p50_ms"), alone_p50, "ms", None),
        row(format!("live_edit_{of}alone_p99_ms"), alone_p99, "ms", None),
        row(
            format!("live_edit_{of}beside_sign_ins_p50_ms"),
            beside_p50,
            "ms",
            None,
        ),
        row(
            format!("live_edit_{of}beside_sign_ins_p99_ms"),
            beside_p99,
            "ms",
            Some("≤ 15"),
        ),
        row(
            format!("live_edit_{of}beside_sign_ins_to_alone_p50"),
            beside_p50 / alone_p50,
            "×",
            Some("≤ 1.5"),
        ),
    ]
}

struct Load {
    /// How long each sign-in took, in milliseconds.
    took: mpsc::UnboundedReceiver<f64>,
    since: Instant,
    people: JoinSet<()>,
}

impl Load {
    /// As many have come in as there are people: sign-ins go on from here.
    async fn under_way(clinic: &Clinic) -> Self {
        let (in_now, mut took) = mpsc::unbounded_channel();
        let mut people = JoinSet::new();
        for account in clinic.accounts.iter().take(AT_ONCE) {
            let (address, email, in_now) = (clinic.address, account.email.clone(), in_now.clone());
            people.spawn(async move {
                loop {
                    let began = Instant::now();
                    stories::sign_in(address, &email, demonstration::DEMO_PASSWORD).await;
                    if in_now.send(began.elapsed().as_secs_f64() * 1_000.0).is_err() {
                        return;
                    }
                }
            });
        }
        assert_eq!(people.len(), AT_ONCE, "as many people work there");
        for _ in 0..AT_ONCE {
            took.recv().await.expect("somebody is in");
        }
        Self {
            took,
            since: Instant::now(),
            people,
        }
    }

    /// For how long people signed in, and how long each sign-in took, in milliseconds.
    async fn stop(mut self) -> (Duration, Vec<f64>) {
        let lasted = self.since.elapsed();
        self.took.close();
        let mut times = Vec::new();
        while let Ok(time) = self.took.try_recv() {
            times.push(time);
        }
        self.people.join_all().await;
        (lasted, times)
    }
}
