//! The story: a vet's computer, a desk's device, a server that comes and goes.

use crate::app::{Account, App};
use crate::login_manager::LoginManager;
use crate::screen::{Screen, Shown};
use crate::told::{Ended, Told, until};
use anyhow::{Context, Result, bail, ensure};
use local_core::query::{Connection, DayItem, Stage, VisitView};
use local_core::{Query, View};
use shared_model::clinical::VitalSign;
use shared_model::documents::Section;
use shared_model::ids::VisitId;
use shared_model::values::Weight;
use std::path::Path;
use std::time::{Duration, Instant};
use stories::{Clinic, Device};

const DAY: &str = "Day · Vet Clinic";
const SIGN_IN: &str = "Sign in · Vet Clinic";
const CANNOT_OPEN: &str = "Cannot open the records · Vet Clinic";
const LOCKED: &str = "Locked · Vet Clinic";
const PIN: &str = "481516";
const VISIT: &str = "Visit of Rex · Vet Clinic";

const HISTORY: &str = "Ate grass and part of a rope toy yesterday evening. Vomited four times overnight, \
                       yellow foam, no blood. Drinks, keeps water down. Petra: „žádné léky“.";
const ASSESSMENT: &str = "Acute gastritis – rule out a linear foreign body.";
const PLAN: &str = "Nothing by mouth until noon, then small meals; recheck on Friday";

struct Story<'a> {
    program: &'a Path,
    pictures: Option<&'a Path>,
    screen: Screen,
    account: Account,
    login_manager: LoginManager,
    app: App,
    clinic: Clinic,
    desk: Device,
    visit: VisitId,
    /// Of the one who brought Rex.
    phone: String,
}

pub(crate) async fn tell(program: &Path, pictures: Option<&Path>, told: &mut Told) -> Result<()> {
    let home = tempfile::tempdir()?;
    let screen = Screen::start()?;
    let login_manager = LoginManager::start(home.path())?;
    let account = Account::new(&home.path().join("ana"), &login_manager.address)?;
    let clinic = Clinic::with_patients(60).await;
    let mut desk = clinic.device("Jana Dvorak").await;
    let rex = rex_waits(&mut desk).await?;
    let (visit, phone) = (VisitId::of_appointment(rex.id), rex.client_phone);
    // Beside the window, where nothing reacts to it.
    screen.point((1500, 950))?;
    let app = App::start(program, &account, &screen)?;
    let mut story = Story {
        program,
        pictures,
        screen,
        account,
        login_manager,
        app,
        clinic,
        desk,
        visit,
        phone,
    };
    if let Err(Ended) = story.acts(told).await {
        story.leave_traces().await?;
    }
    Ok(())
}

/// Rex waits for Dr Moreno in every demonstration, at any hour: see `demonstration`.
async fn rex_waits(desk: &mut Device) -> Result<DayItem> {
    let View::Day(day) = desk.look(Query::Day(None)).await else {
        bail!("the desk's device shows no day");
    };
    day.items
        .into_iter()
        .find(|item| item.patient_name == "Rex" && item.stage == Stage::Waiting)
        .context("Rex does not wait")
}

impl Story<'_> {
    async fn acts(&mut self, told: &mut Told) -> Result<(), Ended> {
        macro_rules! act {
            ($name:literal, $act:ident) => {
                let began = Instant::now();
                told.act($name, began, self.$act().await)?;
            };
        }
        act!(
            "the window opens and asks where the clinic is and who you are",
            opens
        );
        act!("a wrong password is said, the right one opens the day", signs_in);
        act!("a PIN is set, a key locks, and the PIN unlocks", locks);
        act!(
            "a visit is started, written and weighed; the desk sees it",
            writes_a_visit
        );
        act!("Ctrl+K finds anybody, from within a visit too", searches);
        act!("a telephone number is opened by the system", opens_links_outside);
        act!(
            "without the server, typing is saved here and said so",
            works_offline
        );
        act!(
            "a window killed while offline has everything on return",
            survives_a_kill
        );
        act!(
            "the server returns, and the desk gets what was typed meanwhile",
            returns
        );
        act!(
            "closing the window while typing loses nothing",
            closes_while_typing
        );
        act!(
            "on a full disk the window does not close over unsaved words",
            keeps_unsaved_words
        );
        act!(
            "a second window waits for the first, and then goes on",
            waits_for_the_other_window
        );
        act!("dark stays dark and the window its size", keeps_its_looks);
        act!("a computer that goes to sleep locks the records first", sleeps);
        act!("printing asks where to", prints);
        act!(
            "a folder that cannot be written is said, and tried again",
            says_where_it_cannot_write
        );
        Ok(())
    }

    async fn opens(&mut self) -> Result<()> {
        self.app.titled(&self.screen, SIGN_IN).await?;
        self.app.reads("Clinic address").await?;
        // Without a window manager the keys go where the mouse is.
        self.screen.point((640, 200))?;
        ensure!(
            self.account.records().join("keys.db").is_file(),
            "the records are in the platform's folder"
        );
        let fonts = self.app.page.loaded_fonts().await?;
        ensure!(
            fonts.iter().any(|font| font.contains("Inter")),
            "Inter is not loaded: {fonts:?}"
        );
        self.picture("sign-in").await
    }

    async fn signs_in(&mut self) -> Result<()> {
        let (screen, app) = (&self.screen, &mut self.app);
        app.write(screen, "my clinic").await?;
        screen.key("Return")?;
        app.reads("This is not an address").await?;
        screen.key("Ctrl+a")?;
        app.write(screen, &self.clinic.address.to_string()).await?;
        screen.key("Tab")?;
        app.write(screen, self.clinic.email_of("Ana Moreno")).await?;
        screen.key("Tab")?;
        app.write(screen, "not-her-password").await?;
        screen.key("Return")?;
        app.reads("That email and password do not go together").await?;
        // The field is empty again and has the focus.
        app.write(screen, demonstration::DEMO_PASSWORD).await?;
        screen.key("Return")?;
        app.titled(screen, DAY).await?;
        app.reads("Rex Petra Novak").await?;
        app.reads("At the clinic ·").await?;
        self.picture("day").await
    }

    async fn locks(&mut self) -> Result<()> {
        let (screen, app) = (&self.screen, &mut self.app);
        app.click(screen, "Set a PIN").await?;
        app.is_in("New PIN").await?;
        app.write(screen, "123456").await?;
        screen.key("Tab")?;
        app.is_in("The same PIN again").await?;
        app.write(screen, "123456").await?;
        screen.key("Return")?;
        app.reads("This one is tried first").await?;
        for field in ["New PIN", "The same PIN again"] {
            app.enter(screen, field).await?;
            screen.key("Ctrl+a")?;
            app.write(screen, PIN).await?;
        }
        screen.key("Return")?;
        app.reads("Your PIN is set").await?;
        app.click(screen, "Lock").await?;
        app.titled(screen, LOCKED).await?;
        app.is_in("PIN").await?;
        let shown = app.page.text().await?;
        ensure!(!shown.contains("Rex"), "the lock screen shows a record: {shown}");
        self.picture("locked").await?;
        let (screen, app) = (&self.screen, &mut self.app);
        app.write(screen, "000000").await?;
        screen.key("Return")?;
        app.reads("4 tries left").await?;
        self.unlocks().await?;
        self.app.reads("At the clinic ·").await?;
        self.nothing_is_readable()
    }

    async fn sleeps(&mut self) -> Result<()> {
        self.app.click(&self.screen, "Day").await?;
        self.app.titled(&self.screen, DAY).await?;
        self.login_manager.go_to_sleep()?;
        self.app.titled(&self.screen, LOCKED).await?;
        self.unlocks().await
    }

    /// With the PIN, to the day.
    async fn unlocks(&mut self) -> Result<()> {
        let (screen, app) = (&self.screen, &mut self.app);
        app.titled(screen, LOCKED).await?;
        app.is_in("PIN").await?;
        app.write(screen, PIN).await?;
        screen.key("Return")?;
        app.titled(screen, DAY).await?;
        Ok(())
    }

    /// No file of the account has a word of any record in it, logs and what the window keeps included.
    fn nothing_is_readable(&self) -> Result<()> {
        let mut folders = vec![self.account.home.clone()];
        let secrets = ["Novak", "petra.novak", demonstration::DEMO_PASSWORD, PIN];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.is_file() {
                    let bytes = std::fs::read(&path)?;
                    for secret in secrets {
                        let found = bytes
                            .windows(secret.len())
                            .any(|window| window == secret.as_bytes());
                        ensure!(!found, "“{secret}” stands in {}", path.display());
                    }
                }
            }
        }
        Ok(())
    }

    async fn writes_a_visit(&mut self) -> Result<()> {
        let (screen, app) = (&self.screen, &mut self.app);
        app.click(screen, "Start Rex’s visit").await?;
        app.titled(screen, VISIT).await?;
        app.enter(screen, "History").await?;
        app.write(screen, HISTORY).await?;
        app.enter(screen, "Weight").await?;
        app.write(screen, "18.6").await?;
        screen.key("Return")?;
        app.notes_are("At the clinic").await?;
        let weight = Weight::parse("18.6")?;
        self.desk_sees("the history and the weight", |visit| {
            written(visit, Section::History) == HISTORY
                && visit
                    .weight
                    .as_ref()
                    .is_some_and(|entry| entry.weight.value == weight)
                && visit.vet_name.contains("Moreno")
        })
        .await?;
        self.picture("visit").await
    }

    async fn searches(&mut self) -> Result<()> {
        let (screen, app) = (&self.screen, &mut self.app);
        screen.key("Ctrl+k")?;
        app.is_in("Find a pet, person, phone or chip").await?;
        app.write(screen, "mimi novak").await?;
        until("Mimi is found", async || {
            Ok(app.page.place("Mimi").await?.map(drop))
        })
        .await?;
        screen.key("Return")?;
        app.titled(screen, "Mimi · Vet Clinic").await?;
        self.open_visit().await
    }

    /// From the day, where the desk's list of rooms has it.
    async fn open_visit(&mut self) -> Result<()> {
        let (screen, app) = (&self.screen, &mut self.app);
        let title = app.window(screen)?.context("a window")?.title;
        if title == VISIT {
            return Ok(());
        }
        if title != DAY {
            app.click(screen, "Day").await?;
            app.titled(screen, DAY).await?;
        }
        app.click(screen, "Exam: open Rex’s visit").await?;
        app.titled(screen, VISIT).await?;
        Ok(())
    }

    async fn opens_links_outside(&mut self) -> Result<()> {
        self.app.click(&self.screen, &self.phone).await?;
        until("the system was asked to call", async || {
            let asked = std::fs::read_to_string(&self.account.opened).unwrap_or_default();
            Ok(asked
                .lines()
                .any(|line| line == format!("tel:{}", self.phone))
                .then_some(()))
        })
        .await?;
        self.app.titled(&self.screen, VISIT).await?;
        Ok(())
    }

    async fn works_offline(&mut self) -> Result<()> {
        self.clinic.stop().await;
        let (screen, app) = (&self.screen, &mut self.app);
        app.reads("Offline since").await?;
        app.enter(screen, "Assessment").await?;
        app.write(screen, ASSESSMENT).await?;
        app.notes_are("Saved here").await?;
        app.reads("saved on this computer").await?;
        self.picture("offline").await
    }

    async fn survives_a_kill(&mut self) -> Result<()> {
        self.app.kill()?;
        self.app = App::start(self.program, &self.account, &self.screen)?;
        self.unlocks().await?;
        self.app.reads("Offline").await?;
        self.open_visit().await?;
        self.has_written("Assessment", ASSESSMENT).await?;
        self.app.notes_are("Saved here").await?;
        self.nothing_is_readable()
    }

    async fn returns(&mut self) -> Result<()> {
        self.clinic.revive().await;
        self.desk_sees("the assessment", |visit| {
            written(visit, Section::Assessment) == ASSESSMENT
        })
        .await?;
        self.app.reads("At the clinic ·").await?;
        self.app.notes_are("At the clinic").await
    }

    async fn closes_while_typing(&mut self) -> Result<()> {
        self.app.enter(&self.screen, "Plan").await?;
        self.app.write(&self.screen, PLAN).await?;
        // No pause in which the program could have saved it by itself.
        self.close().await?;
        self.app = App::start(self.program, &self.account, &self.screen)?;
        self.unlocks().await?;
        self.open_visit().await?;
        self.has_written("Plan", PLAN).await?;
        self.desk_sees("the plan", |visit| written(visit, Section::Plan) == PLAN)
            .await
    }

    async fn keeps_unsaved_words(&mut self) -> Result<()> {
        const MORE: &str = ", at nine.";
        let whole = format!("{PLAN}{MORE}");
        let (screen, app) = (&self.screen, &mut self.app);
        app.enter(screen, "Plan").await?;
        screen.key("End")?;
        app.fill_disk(true)?;
        screen.write(MORE)?;
        app.reads("Not saved.").await?;
        let shown = app.window(screen)?.context("a window")?;
        screen.close(shown.window)?;
        app.reads("Close the window again to close it all the same")
            .await?;
        app.titled(screen, VISIT).await?;
        app.fill_disk(false)?;
        app.click(screen, "Try again").await?;
        self.desk_sees("the words that the disk did not take at first", |visit| {
            written(visit, Section::Plan) == whole
        })
        .await
    }

    async fn waits_for_the_other_window(&mut self) -> Result<()> {
        let second = App::start(self.program, &self.account, &self.screen)?;
        let mut first = std::mem::replace(&mut self.app, second);
        self.app.titled(&self.screen, CANNOT_OPEN).await?;
        self.app.reads("The clinic is open in another window").await?;
        let window = first.window(&self.screen)?.context("a window")?.window;
        self.screen.raise(window)?;
        first.enter(&self.screen, "Temperature").await?;
        first.write(&self.screen, "39.1").await?;
        self.screen.close(window)?;
        ensure!(first.ended().await?.success(), "the program ended badly");
        self.unlocks().await?;
        self.desk_sees("the temperature, which was typed and not left", |visit| {
            visit.tiles.iter().any(|tile| {
                let reading = tile.reading.as_ref().map(|reading| reading.value.to_string());
                tile.sign == VitalSign::Temperature && reading.as_deref() == Some("39.1")
            })
        })
        .await
    }

    async fn keeps_its_looks(&mut self) -> Result<()> {
        const SIZE: (u32, u32) = (1180, 820);
        self.app.click(&self.screen, "Dr Ana Moreno").await?;
        self.app.click(&self.screen, "Dark").await?;
        self.corner_is("dark", |brightness| brightness < 60).await?;
        let shown = self.app.window(&self.screen)?.context("a window")?;
        self.screen.resize(shown.window, SIZE)?;
        self.has_size(SIZE).await?;
        self.close().await?;
        self.app = App::start(self.program, &self.account, &self.screen)?;
        self.unlocks().await?;
        ensure!(self.app.page.theme().await? == "dark", "the theme is forgotten");
        self.corner_is("dark", |brightness| brightness < 60).await?;
        self.has_size(SIZE).await?;
        self.open_visit().await?;
        self.picture("visit-dark").await?;
        self.app.click(&self.screen, "Dr Ana Moreno").await?;
        self.app.click(&self.screen, "Light").await?;
        self.corner_is("light", |brightness| brightness > 200).await
    }

    async fn prints(&mut self) -> Result<()> {
        self.app.click(&self.screen, "Day").await?;
        self.app.titled(&self.screen, DAY).await?;
        self.app.click(&self.screen, "Print the day").await?;
        let (screen, app) = (&self.screen, &mut self.app);
        let dialog = until("the system asks where to print", async || {
            app.other_window(screen, "Print")
        })
        .await?;
        screen.close(dialog.window)?;
        until("the dialog is gone", async || {
            Ok(app.other_window(screen, "Print")?.is_none().then_some(()))
        })
        .await?;
        app.reads("In rooms").await
    }

    async fn says_where_it_cannot_write(&mut self) -> Result<()> {
        self.close().await?;
        let account = Account::new(&self.account.home.join("other"), &self.login_manager.address)?;
        // Not by permissions: those do not bind root, which CI is.
        let in_the_way = account.home.join(".local");
        std::fs::write(&in_the_way, "")?;
        self.app = App::start(self.program, &account, &self.screen)?;
        self.app.titled(&self.screen, CANNOT_OPEN).await?;
        self.app.reads("does not let the clinic write").await?;
        std::fs::remove_file(&in_the_way)?;
        self.app.click(&self.screen, "Try again").await?;
        self.app.titled(&self.screen, SIGN_IN).await?;
        Ok(())
    }

    /// As the cross in the corner does.
    async fn close(&mut self) -> Result<()> {
        let shown = self.app.window(&self.screen)?.context("a window")?;
        self.screen.close(shown.window)?;
        let end = self.app.ended().await?;
        ensure!(end.success(), "the program ended with {end}");
        Ok(())
    }

    async fn has_written(&mut self, section: &str, words: &str) -> Result<()> {
        self.app.enter(&self.screen, section).await?;
        let app = &mut self.app;
        until(&format!("{section} has “{words}”"), async || {
            Ok(app.page.typed().await?.filter(|typed| typed == words).map(drop))
        })
        .await
    }

    async fn has_size(&mut self, (width, height): (u32, u32)) -> Result<()> {
        let (screen, app) = (&self.screen, &mut self.app);
        until(&format!("the window has {width}×{height}"), async || {
            let size = app
                .window(screen)?
                .map(|shown| (u32::from(shown.size.0), u32::from(shown.size.1)));
            Ok((size == Some((width, height))).then_some(()))
        })
        .await
    }

    /// How bright the page's upper left corner is on the screen itself, of 255.
    async fn corner_is(&mut self, name: &str, fits: impl Fn(u16) -> bool) -> Result<()> {
        let (screen, app) = (&self.screen, &mut self.app);
        until(&format!("the screen is {name}"), async || {
            let shown = app.window(screen)?.context("a window")?;
            let point = screen.picture(&shown)?.point(3, 3);
            let brightness = point.iter().map(|colour| u16::from(*colour)).sum::<u16>() / 3;
            Ok(fits(brightness).then_some(()))
        })
        .await
    }

    /// What the second device, at the desk, shows of the visit.
    async fn desk_sees(&mut self, what: &str, fits: impl Fn(&VisitView) -> bool) -> Result<()> {
        let (desk, visit) = (&mut self.desk, self.visit);
        until(&format!("the desk sees {what}"), async || {
            while desk.step(Duration::from_millis(5)).await {}
            let online = desk.status().await.connection == Connection::Online;
            let shown = match desk.look(Query::Visit(visit)).await {
                View::Visit(view) => fits(&view),
                _ => false,
            };
            Ok((online && shown).then_some(()))
        })
        .await
    }

    /// Once the screen holds still: what was drawn a moment ago is drawn again the same.
    async fn picture(&mut self, name: &str) -> Result<()> {
        let Some(folder) = self.pictures else {
            return Ok(());
        };
        std::fs::create_dir_all(folder)?;
        let shown = self.app.window(&self.screen)?.context("a window")?;
        self.save(&shown, &folder.join(name).with_extension("png")).await
    }

    async fn save(&self, shown: &Shown, file: &Path) -> Result<()> {
        let mut before = self.screen.picture(shown)?;
        let still = until("the window holds still", async || {
            let now = self.screen.picture(shown)?;
            let former = std::mem::replace(&mut before, now);
            Ok((former.points == before.points).then_some(()))
        });
        still.await?;
        before.save(file)
    }

    /// For whoever looks into a failure: what the window showed and what the program said.
    async fn leave_traces(&mut self) -> Result<()> {
        let folder = std::env::temp_dir().join("window-story");
        std::fs::create_dir_all(&folder)?;
        std::fs::copy(self.account.home.join("said"), folder.join("said.txt"))?;
        if self.app.is_running()?
            && let Some(shown) = self.app.window(&self.screen)?
        {
            self.screen.picture(&shown)?.save(&folder.join("window.png"))?;
            println!(
                "the window “{}” reads:\n{}",
                shown.title,
                self.app.page.text().await?
            );
        }
        println!("see {}", folder.display());
        Ok(())
    }
}

fn written(visit: &VisitView, section: Section) -> &str {
    let mut sections = visit.sections.iter();
    sections
        .find(|found| found.section == section)
        .map_or("", |found| &found.text)
}
