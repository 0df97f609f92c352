//! What happens next, good or bad: one thing a step.

use crate::faults::Class;
use crate::invariant::{Holds, Invariant, broken};
use crate::older_build;
use crate::storage::{MOMENTS, Trouble};
use crate::world::World;
use local_core::{Event, StoreError};
use shared_model::permissions::Role;

/// No store of a run grows to so many pages.
const NO_LIMIT: u32 = 1 << 20;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// What a step can be.
#[derive(Clone, Copy, Debug)]
enum Step {
    CarryUp,
    CarryDown,
    Event,
    Request,
    SignIn,
    Work,
    Wait,
    TellServer,
    Mend,
    Fault(Class),
}

impl World {
    pub(crate) fn step(&mut self) -> Holds {
        self.wake_tablets()?;
        let (up, down) = self.busy_links();
        let having = |yes: bool, weight: u32| if yes { weight } else { 0 };
        let tablets = &self.tablets;
        let mut choices = vec![
            (Step::CarryUp, having(!up.is_empty(), 400)),
            (Step::CarryDown, having(!down.is_empty(), 500)),
            (
                Step::Event,
                having(tablets.iter().any(|tablet| !tablet.events.is_empty()), 250),
            ),
            (
                Step::Request,
                having(tablets.iter().any(|tablet| !tablet.requests.is_empty()), 150),
            ),
            (
                Step::SignIn,
                having(tablets.iter().any(|tablet| tablet.wants_sign_in), 60),
            ),
            (Step::Work, self.plan.work),
            (Step::Wait, 80),
            (
                Step::TellServer,
                having(self.links.values().any(|link| link.left), 60),
            ),
            (Step::Mend, 45),
        ];
        if self.faults_on {
            choices.extend(
                self.plan
                    .rates()
                    .iter()
                    .map(|(class, rate)| (Step::Fault(*class), *rate)),
            );
        }
        let weights: Vec<u32> = choices.iter().map(|(_, weight)| *weight).collect();
        let Some(chosen) = self.schedule.weighted(&weights) else {
            return self.pass(1);
        };
        match choices[chosen].0 {
            Step::CarryUp => {
                // Several at once, now and then, so that accept takes them as a group.
                let times = if self.schedule.permille(250) { 4 } else { 1 };
                for _ in 0..times {
                    let (up, _) = self.busy_links();
                    if let Some(link) = self.schedule.pick(&up) {
                        self.carry_up(link);
                    }
                }
            }
            Step::CarryDown => {
                if let Some(link) = self.schedule.pick(&down) {
                    self.carry_down(link)?;
                }
            }
            Step::Event => {
                if let Some(tablet) = self.pick_tablet(|tablet| !tablet.events.is_empty()) {
                    self.next_event(tablet)?;
                }
            }
            Step::Request => {
                if let Some(tablet) = self.pick_tablet(|tablet| !tablet.requests.is_empty()) {
                    self.renew(tablet)?;
                }
            }
            Step::SignIn => {
                if let Some(tablet) = self
                    .pick_tablet(|tablet| tablet.wants_sign_in && !tablet.offline && tablet.core.is_some())
                {
                    self.sign_in(tablet)?;
                }
            }
            Step::Work => self.somebody_works()?,
            Step::Wait => {
                let millis = self.schedule.moment(self.plan.longest_wait);
                self.pass(millis)?;
            }
            Step::TellServer => {
                let left: Vec<u64> = self
                    .links
                    .iter()
                    .filter(|(_, link)| link.left)
                    .map(|(id, _)| *id)
                    .collect();
                if let Some(link) = self.schedule.pick(&left).and_then(|id| self.links.get_mut(&id)) {
                    link.tell_server();
                }
            }
            Step::Mend => self.mend_something()?,
            Step::Fault(class) => {
                self.counts.faults += 1;
                self.strike(class)?;
            }
        }
        self.settle()
    }

    fn pick_tablet(&mut self, which: impl Fn(&crate::tablet::Tablet) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.tablets.len())
            .filter(|tablet| which(&self.tablets[*tablet]))
            .collect();
        self.schedule.pick(&fitting)
    }

    pub(crate) fn somebody_works(&mut self) -> Holds {
        let Some(tablet) = self.pick_tablet(|tablet| tablet.core.is_some()) else {
            return Ok(());
        };
        let now = shared_model::time::Timestamp(crate::world::BEGIN + self.time + self.tablets[tablet].clock);
        let person = self.people[self.tablets[tablet].person].clone();
        let Some(core) = &self.tablets[tablet].core else {
            return Ok(());
        };
        let command = self.books.next(&mut self.work, &person, core, self.clinic, now);
        self.command(tablet, command).map(drop)
    }

    fn strike(&mut self, class: Class) -> Holds {
        match class {
            Class::Cut => self.cut(),
            Class::HalfOpen => {
                let attached: Vec<u64> = self
                    .links
                    .iter()
                    .filter(|(_, link)| !link.left)
                    .map(|(id, _)| *id)
                    .collect();
                let up = self.schedule.permille(500);
                if let Some(id) = self.schedule.pick(&attached)
                    && let Some(link) = self.links.get_mut(&id)
                {
                    if up {
                        link.up_silent = true;
                    } else {
                        link.down_silent = true;
                    }
                    self.note(format!(
                        "link {id} goes silent {}",
                        if up { "up" } else { "down" }
                    ));
                }
                Ok(())
            }
            Class::Partition => {
                if let Some(tablet) = self.pick_tablet(|tablet| !tablet.offline) {
                    self.note(format!("device {tablet} has no network"));
                    self.tablets[tablet].offline = true;
                    if self.schedule.permille(500) && self.tablets[tablet].link.is_some() {
                        self.leave(tablet);
                        self.closes(tablet);
                    }
                }
                Ok(())
            }
            // It strikes at requests.
            Class::LostAnswer => Ok(()),
            Class::KillDevice => match self.pick_tablet(|tablet| tablet.core.is_some()) {
                Some(tablet) => self.kill_tablet(tablet, false),
                None => Ok(()),
            },
            // It strikes in events.
            Class::TornTransaction => Ok(()),
            Class::FullDisk => self.fill_a_disk(),
            Class::KillNode => self.stop_a_node(),
            Class::KillAccept => {
                let node = self.schedule.below(self.servers.len());
                let moment = self.schedule.pick(&MOMENTS);
                self.note(format!("node {node} will die in an accept: {moment:?}"));
                self.servers[node]
                    .switch
                    .arm(moment.map(|moment| (moment, Trouble::Hangs)));
                Ok(())
            }
            Class::DatabaseAway => {
                let node = self.schedule.below(self.servers.len());
                if self.schedule.permille(400) {
                    self.note(format!("the database is away for node {node}"));
                    self.servers[node].switch.set_away(true);
                    self.shared.deafen();
                } else {
                    let moment = self.schedule.pick(&MOMENTS);
                    let trouble = if self.schedule.permille(700) {
                        Trouble::Away
                    } else {
                        Trouble::Fails
                    };
                    self.note(format!(
                        "node {node} will meet {trouble:?} in an accept: {moment:?}"
                    ));
                    self.servers[node]
                        .switch
                        .arm(moment.map(|moment| (moment, trouble)));
                }
                Ok(())
            }
            Class::Clock => {
                let most = *[5_000, 5 * MINUTE, 3 * HOUR, 50 * HOUR]
                    .get(self.schedule.below(4))
                    .unwrap_or(&MINUTE);
                let jump = self.schedule.between(-most, most);
                if self.schedule.permille(800) {
                    let tablet = self.schedule.below(self.tablets.len());
                    self.tablets[tablet].clock += jump;
                    self.note(format!("the clock of device {tablet} jumps by {jump}"));
                } else {
                    self.wall_off_by += jump.clamp(-5 * MINUTE, 5 * MINUTE);
                    self.note("the server's clock jumps");
                }
                Ok(())
            }
            Class::Roles => self.change_somebody(),
            Class::Audience => self.move_a_patient(),
            Class::Schema => {
                if let Some(tablet) = self.pick_tablet(|tablet| !tablet.old_build) {
                    self.note(format!("others have a newer build than device {tablet}"));
                    self.tablets[tablet].old_build = true;
                }
                Ok(())
            }
            Class::SharedTablet => {
                let people: Vec<usize> = (0..self.people.len())
                    .filter(|person| !self.people[*person].is_owner() && !self.people[*person].has_left())
                    .collect();
                let running =
                    self.pick_tablet(|tablet| tablet.core.is_some() && people.contains(&tablet.person));
                match (running, self.schedule.pick(&people)) {
                    (Some(tablet), Some(person)) if self.tablets[tablet].person != person => {
                        self.hand_over(tablet, person)
                    }
                    _ => Ok(()),
                }
            }
            Class::TwoWindows => {
                let Some(tablet) = self.pick_tablet(|tablet| tablet.core.is_some()) else {
                    return Ok(());
                };
                self.note(format!("a second window on device {tablet}"));
                match self.tablets[tablet].open_second_window() {
                    Err(StoreError::InUse) => Ok(()),
                    other => Err(broken(
                        Invariant::OneOwner,
                        format!("a second window on device {tablet} was told {other:?}"),
                    )),
                }
            }
            Class::Hostile => self.attack(),
        }
    }

    /// The device's end of its link is gone; nobody has told anybody.
    fn leave(&mut self, tablet: usize) {
        if let Some(id) = self.tablets[tablet].link.take()
            && let Some(link) = self.links.get_mut(&id)
        {
            link.left = true;
        }
    }

    fn cut(&mut self) -> Holds {
        let attached: Vec<u64> = self
            .links
            .iter()
            .filter(|(_, link)| !link.left)
            .map(|(id, _)| *id)
            .collect();
        let Some(id) = self.schedule.pick(&attached) else {
            return Ok(());
        };
        let how = self.schedule.below(4);
        let Some(link) = self.links.get_mut(&id) else {
            return Ok(());
        };
        let device = link.device;
        let words = match how {
            0 => {
                link.tell_server();
                "both sides hear of it"
            }
            1 => "the device hears of it, what it sent may still arrive",
            2 => {
                link.tell_server();
                link.down_silent = true;
                "the server hears of it"
            }
            _ => {
                link.up_silent = true;
                link.down_silent = true;
                "nobody hears of it"
            }
        };
        self.note(format!("link {id} is cut: {words}"));
        if how < 2 {
            self.leave(device);
            self.closes(device);
        }
        Ok(())
    }

    fn fill_a_disk(&mut self) -> Holds {
        let Some(tablet) = self.pick_tablet(|tablet| tablet.core.is_some() && !tablet.full) else {
            return Ok(());
        };
        let room = u32::try_from(self.schedule.between(0, 3)).unwrap_or(0);
        if let Some(core) = &self.tablets[tablet].core {
            let limited = core
                .store()
                .pages()
                .and_then(|pages| core.store().limit_pages(pages + room));
            if limited.is_ok() {
                self.tablets[tablet].full = true;
                self.note(format!("the disk of device {tablet} fills up"));
            }
        }
        Ok(())
    }

    /// Room is there again, and the person says so.
    fn empty_disk(&mut self, tablet: usize) -> Holds {
        self.tablets[tablet].full = false;
        self.note(format!("the disk of device {tablet} has room"));
        if let Some(core) = &self.tablets[tablet].core {
            core.store()
                .limit_pages(NO_LIMIT)
                .map_err(|error| broken(Invariant::NothingBreaks, format!("device {tablet}: {error}")))?;
        }
        self.handle(tablet, Event::RetryStorage)
    }

    fn stop_a_node(&mut self) -> Holds {
        let node = self.schedule.below(self.servers.len());
        if !self.servers[node].is_running() {
            return Ok(());
        }
        if self.schedule.permille(300) {
            self.note(format!("node {node} is told to stop"));
            self.servers[node].drain();
            self.settle()?;
            let wait = self.schedule.moment(3_000);
            self.pass(wait)?;
            return self.kill_server(node);
        }
        // In the middle of whatever a few frames have set in motion.
        for _ in 0..self.schedule.below(4) {
            let (up, _) = self.busy_links();
            if let Some(link) = self.schedule.pick(&up) {
                self.carry_up(link);
            }
        }
        let turns = self.schedule.below(14);
        self.servers[node].run_turns(turns);
        self.kill_server(node)
    }

    fn change_somebody(&mut self) -> Holds {
        let staff: Vec<usize> = (1..self.people.len())
            .filter(|person| !self.people[*person].is_owner())
            .collect();
        let Some(person) = self.schedule.pick(&staff) else {
            return Ok(());
        };
        let account = self.people[person].account;
        let Ok(database) = rusqlite::Connection::open(self.folder.join("server.db")) else {
            return Ok(());
        };
        // While an accept has the database, an administrator waits; here somebody else's turn comes.
        let roles = [
            vec![Role::Veterinarian],
            vec![Role::Technician],
            vec![Role::FrontDesk],
            vec![Role::Viewer],
            vec![Role::FrontDesk, Role::Technician],
        ];
        let roles = roles[self.schedule.below(roles.len())].clone();
        if self.people[person].has_left() {
            return Ok(());
        }
        let done = database.busy_timeout(std::time::Duration::ZERO).and_then(|()| {
            if self.schedule.permille(300) {
                let leaves = self.schedule.permille(400);
                let tx = database.unchecked_transaction()?;
                if leaves {
                    tx.execute("delete from memberships where account = ?1", [account.bytes()])?;
                }
                tx.execute("delete from refresh_tokens where account = ?1", [account.bytes()])?;
                tx.commit()?;
                return Ok(if leaves { Some(Vec::new()) } else { None });
            }
            let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
            database.execute(
                "update memberships set roles = ?2 where account = ?1",
                (account.bytes(), words.join(" ")),
            )?;
            Ok(Some(roles))
        });
        match done {
            Ok(Some(roles)) => {
                let name = &self.people[person].name;
                let words = if roles.is_empty() {
                    format!("{name} leaves the clinic")
                } else {
                    format!("{name} is {roles:?} now")
                };
                self.note(words);
                self.people[person].roles = roles;
                if self.people[person].has_left() {
                    self.counts.left += 1;
                    self.end_sessions(person);
                }
            }
            Ok(None) => self.note(format!("the sign-ins of {} end", self.people[person].name)),
            Err(_) => self.note("the database is locked"),
        }
        Ok(())
    }

    /// Whoever has left is told at once, if there is a session.
    fn end_sessions(&mut self, person: usize) {
        for tablet in 0..self.tablets.len() {
            let link = self.tablets[tablet].link;
            let of_them = self.tablets[tablet].person == person;
            if let Some(link) = link.filter(|_| of_them).and_then(|id| self.links.get_mut(&id)) {
                link.tell_server();
                self.leave(tablet);
                self.closes(tablet);
            }
        }
    }

    fn mend_something(&mut self) -> Holds {
        for node in 0..self.servers.len() {
            if self.servers[node].switch.has_hung() && self.schedule.permille(700) {
                return self.kill_server(node);
            }
            if !self.servers[node].is_running() && self.schedule.permille(500) {
                self.start_server(node);
                return Ok(());
            }
            if self.servers[node].switch.is_away() && self.schedule.permille(500) {
                self.note(format!("the database is back for node {node}"));
                self.servers[node].switch.set_away(false);
                return Ok(());
            }
        }
        let troubled = self
            .pick_tablet(|tablet| tablet.core.is_none() || tablet.offline || tablet.full || tablet.old_build);
        match troubled {
            Some(tablet) => self.mend_tablet(tablet),
            None => Ok(()),
        }
    }

    fn mend_tablet(&mut self, tablet: usize) -> Holds {
        if self.tablets[tablet].core.is_none() {
            return self.start_tablet(tablet);
        }
        if self.tablets[tablet].offline {
            self.note(format!("device {tablet} has a network"));
            self.tablets[tablet].offline = false;
            if self.schedule.permille(500) {
                self.handle(tablet, Event::NetworkHint)?;
            }
            return Ok(());
        }
        if self.tablets[tablet].full {
            return self.empty_disk(tablet);
        }
        if self.tablets[tablet].old_build {
            return self.update_tablet(tablet);
        }
        Ok(())
    }

    fn update_tablet(&mut self, tablet: usize) -> Holds {
        self.kill_tablet(tablet, false)?;
        let updated = self.tablets[tablet]
            .look_into()
            .and_then(|store| older_build::update(&store));
        let count = updated
            .map_err(|error| broken(Invariant::NothingBreaks, format!("the update failed: {error}")))?;
        self.note(format!("device {tablet} is updated, {count} entries had waited"));
        self.tablets[tablet].old_build = false;
        self.start_tablet(tablet)
    }

    /// All troubles end.
    pub(crate) fn mend_everything(&mut self) -> Holds {
        self.note("all troubles end");
        self.faults_on = false;
        for node in 0..self.servers.len() {
            self.servers[node].switch.set_away(false);
            self.servers[node].switch.arm(None);
            if self.servers[node].switch.has_hung() {
                self.kill_server(node)?;
            }
        }
        for node in 0..self.servers.len() {
            if !self.servers[node].is_running() {
                self.start_server(node);
            }
        }
        for tablet in 0..self.tablets.len() {
            while self.tablets[tablet].core.is_none()
                || self.tablets[tablet].offline
                || self.tablets[tablet].full
                || self.tablets[tablet].old_build
            {
                self.mend_tablet(tablet)?;
            }
        }
        let left: Vec<u64> = self
            .links
            .iter()
            .filter(|(_, link)| link.left)
            .map(|(id, _)| *id)
            .collect();
        for id in left {
            if let Some(link) = self.links.get_mut(&id) {
                link.tell_server();
            }
        }
        self.settle()
    }
}
