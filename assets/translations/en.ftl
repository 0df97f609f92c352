## English. One sentence a message; `cargo build` turns each into a function of the same name.

app-name = Vet Clinic

## Words for dates, numbers, animals and people

today = Today
tomorrow = Tomorrow
yesterday = Yesterday
monday = Monday
tuesday = Tuesday
wednesday = Wednesday
thursday = Thursday
friday = Friday
saturday = Saturday
sunday = Sunday
mon = Mon
tue = Tue
wed = Wed
thu = Thu
fri = Fri
sat = Sat
sun = Sun
january = January
february = February
march = March
april = April
may = May
june = June
july = July
august = August
september = September
october = October
november = November
december = December
jan = Jan
feb = Feb
mar = Mar
apr = Apr
may-short = May
jun = Jun
jul = Jul
aug = Aug
sep = Sep
oct = Oct
nov = Nov
dec = Dec
date-with-weekday = { $weekday } { $day } { $month }
date-with-weekday-and-year = { $weekday } { $day } { $month } { $year }
date-with-year = { $day } { $month } { $year }
date-and-time = { $date }, { $time }
date-and-clock = { $date } { $clock }
thousands-separator = ,
age-days = { $days } d
age-weeks = { $weeks } w
age-months = { $months } m
age-years = { $years } y
age-years-and-months = { $years } y { $months } m
kilograms = { $kg } kg
minutes-only = { $minutes } min
hours-only = { $hours } h
hours-and-minutes = { $hours } h { $minutes } min
dog = Dog
cat = Cat
rabbit = Rabbit
guinea-pig = Guinea pig
ferret = Ferret
rodent = Rodent
bird = Bird
reptile = Reptile
horse = Horse
other-species = Other
female = female
male = male
female-neutered = female neutered
male-neutered = male neutered
neutered-only = neutered
alert-allergy = Allergy
alert-handling = Handle with care
alert-medical = Medical
channel-phone = Phone
channel-sms = SMS
channel-email = Email
channel-post = Post
role-owner = Owner
role-front-desk = Front desk
role-technician = Technician
role-veterinarian = Veterinarian
role-clinic-administrator = Clinic administrator
role-system-administrator = System administrator
role-viewer = Viewer

## What went wrong

this-field = This
failed-not-here = This record is not on this device yet. Wait until it has arrived, then try again.
failed-text-changed = Somebody else changed this at the same moment. Look at it again, then repeat your change.
failed-too-large = Not saved: this record is full. Shorten what you wrote, or begin another one.
failed-visit-finished = This visit is finished. Reopen it to change its notes.
failed-not-permitted = Your role may not change this. Ask your clinic’s administrator.
failed-not-yours = This record belongs to somebody else.
failed-closed = This record was signed or closed and stays as it is. Add an addendum or a correction.
failed-written-once = This entry stays as it was written. Retract it and write another one.
failed-others-entry = Somebody else wrote this entry. Ask them, or write one of your own.
failed-second-person = This takes a second person. Ask a colleague to confirm it in their own name.
failed-not-saved = Not saved. { $why }
failed-signed-out = Not saved: nobody is signed in. Sign in and try again.
storage-full = This device is full. Free some space, then try again.
storage-read-only = This device does not let the clinic write its records. Check its settings, then try again.
storage-damaged = The clinic’s records on this device are damaged. Ask for help before you go on.
storage-in-use = Another window holds the records of this device.
storage-newer = A newer version of this program has already used these records. Update this one.
storage-other = Writing to this device failed.
invalid-empty = { $field } is missing
invalid-not-a-number = { $field } must be a number
invalid-too-small = { $field } is too small or too short
invalid-too-large = { $field } is larger than is possible
invalid-too-long = { $field } is too long
invalid-characters = { $field } has characters that do not belong there
invalid-not-a-date = { $field } is not a date
invalid-in-future = { $field } lies in the future
invalid-too-long-ago = { $field } lies before 1900

## Parts

close = Close
optional = optional
undo = Undo
undone = Taken back
options-found = { $found ->
    [one] 1 found
   *[other] { $found } found
}

## Day

day-opening = Opening the day
go-to-today = Go to today
day-before = Day before
day-after = Day after
print-day = Print the day
waiting-count = Waiting { $count }
nothing-booked-yet = Nothing booked yet
booked-count = { $count } booked
done-count = { $count } done
clash-count = { $count ->
    [one] 1 clash
   *[other] { $count } clashes
}
day-by-vet = The day by vet
nobody-bookable = Nobody can be booked yet
nobody-bookable-text = The clinic’s administrator says in the settings who takes appointments.
closed-day = Closed
closed-day-text = { $date } is closed. What is booked all the same is shown below.
closed-until = Closed until { $clock }
closed-from = Closed from { $clock }
pause = Lunch { $from }–{ $to }
book-at = Book { $clock }
from-to = { $from }–{ $to }
clock-and-vet = { $clock }, { $vet }
stage-expected = booked
stage-late = not here yet
stage-waiting = waiting
stage-in-room = in a room
stage-ready = ready to leave
stage-departed = done
stage-cancelled = cancelled
card-spoken = { $at }, { $minutes } minutes, { $stage }, { $what }
card-spoken-clash = two bookings at this time
checked-in = { $name } is checked in
check-in-undone = { $name } is no longer checked in
checked-out = { $name } has left
check-out-undone = { $name } is back at the clinic
cancelled = { $name } at { $clock } is cancelled
reinstated = { $name } at { $clock } is booked again
moved = { $name } moved to { $place }
moving-to = Moving { $name } to { $clock }, { $vet }
moving-onto = { $name } is booked then. Both stay.
moving-to-closed = Outside the opening hours
ten-minutes = ten minutes
other-vet = vet
leave-at = Leave at { $clock }
was-at = was { $clock }
move-here = Move
enter-key = Enter
pet-of = { $name } · { $owner }
allergy-to = Allergy: { $what }
pet-has-died = { $name } has died
when-label = When
what-label = What for
why-label = Why
where-label = Where
phone-label = Phone
time-label = Time
patient-label = Patient
minutes-label = Min
when-and-vet = { $date }, { $span } · { $vet }
waiting-since = Waiting since { $time } · { $minutes }
in-a-room-since = In a room since { $time }
in-room-since = { $room } since { $time }
open-pet = Open { $name }
open-owner = Owner
start-visit = Start visit
start-visit-of = Start { $name }’s visit
open-visit = Open visit
check-in = Check in
check-in-pet = Check in { $name }
check-out = Check out
check-out-pet = Check out { $name }
reinstate = Book again
move-appointment = Move
undo-check-in = Not here yet
undo-check-out = Still here
cancel-booking = Cancel booking
keep-booking = Keep it
cancel-reason = Why is it cancelled?
reason-owner-called = Owner called
reason-did-not-come = Did not come
reason-clinic = Clinic had to
two-places = { $name } was moved twice at the same moment. Which time is right?
two-places-title = Two times for { $name }
day-until = { $date }, until { $until }
choose = Choose
right-now = Right now
waiting-title = Waiting
next-title = Coming next
rooms-title = In rooms
ready-title = Ready to leave
nobody-waits = Nobody is waiting
nobody-waits-text = Who is checked in appears here, longest wait first.
nobody-waits-other-day = Who waits and who is in a room is shown on the day itself.
arrived-at = arrived { $time }
late-by = { $clock }, { $vet } · { $by } late
vet-since = { $vet } · since { $time }
exam = Exam
exam-of = Exam: open { $name }’s visit
notes-finished = Notes finished · { $vet }
two-bookings = Two bookings at { $clock }, { $vet }
clash-text = { $first } was booked first, { $second } after it.
move-pet = Move { $name }…
move-pet-to = Move { $name } to { $clock }
keep-both = Keep both
whose-day = Whose day
everyone-count = Everyone · { $count }
mine-count = Mine · { $count }
vet-count = { $name } · { $count }
now-at = Now { $clock }
nothing-booked = Nothing booked
day-is-open = { $date } is open from { $opens } to { $closes }.
printed-by = { $booked } · printed { $when } by { $by }
done-box = Done
personal-data = Contains personal data. Shred after use.

## Booking

book-title = Book an appointment
book-anyway = Book anyway
choose-patient-first = Choose a patient first
choose-time = Choose a time
with-label = With
how-long = How long
reason-of-visit = Reason
vet-reads-first = The vet reads this first.
book-all-the-same = You can book it all the same.
both-stay = You can book it all the same; both bookings stay.
taken-by = { $vet } has { $name } at { $at }
outside-hours = The clinic is closed at { $clock }
booked = { $name } is booked: { $when }
change-choice = Change
which-pet = Which of their animals?
new-client-called = New client “{ $typed }”
days-before = Days before
days-after = Days after
day-label = Day
day-closed = closed
free-count = { $count } free
free-times-on = Free times on { $date }
nothing-free = Nothing is free on this day. Choose another day or person, or show the taken times.
morning = Morning
afternoon = Afternoon
taken = { " taken" }
show-taken = Show taken times
hide-taken = Hide taken times
not-now = Not now
taken-back-at-once = Taken back at once
save = Save
edit = Edit
edit-of = Edit { $name }
remove = Remove

## Client

client-opening = Opening the client
client-missing = This client is not on this device
client-missing-text = It may still be on its way from the clinic, or the address is wrong.
to-the-clients = To the clients
edit-client = Edit the client
client-saved = { $name } is saved
client-registered = { $name } is registered
client-and-pet-registered = { $name } with { $pet } is registered
client-legend = Client
first-pet-legend = First pet
given-name-label = Given name
family-name-label = Family name
name-label = Name
email-label = Email
address-label = Address
reach-by = Reach by
channel-any = No preference
prefers = prefers { $channel }
channel-first = { $channel } first
already-here = Is it one of these? They are here already.
save-and-book = Save and book
another-phone = Another number
another-email = Another email
reach-title = Reach
no-contacts = No number, email or address yet.
pets-title = Pets
no-pets = No pets yet
no-pets-text = Add the first one to book for it.
add-pet = Add a pet
pet-registered = { $name } is registered
has-died = has died
receipt-waiting = Saved here { $time }, waiting for the clinic
receipt-at-clinic = Saved at the clinic { $time }
receipt-unchanged = As the clinic has it
two-values = Two people wrote this at the same time: { $label }. Which one is right?
value-chosen = { $label }: { $value }

## Patient

patient-opening = Opening the patient
patient-missing = This patient is not on this device
patient-missing-text = It may still be on its way from the clinic, or the address is wrong.
to-the-patients = To the patients
edit-patient = Edit the patient
patient-saved = { $name } is saved
more-of = More about { $name }
print-record = Print record
died-on = { $name } died on { $date }
died-text = No reminders are sent; the record stays.
odd-fields = { $count ->
    [one] One field of this record cannot be read.
   *[other] { $count } fields of this record cannot be read.
}
alert-line = { $kind }: { $words }
add-alert = Add an alert
kind-of-alert = Kind of alert
allergic-to = Allergic to
what-to-know = What to know
alert-recorded = The alert is shown wherever the patient is
alert-retracted = The alert is no longer shown
retract-alert = No longer true: { $words }
no-longer-true = No longer true
recorded-on = recorded { $date }
reason-label = Why
stays-in-history = It stays in the history with your name and the reason.
take-back = Take back
identity-title = Identity
breed-label = Breed
colour-label = Colour
born-label = Born
born-hint = Year, month or day
about-age = About { $age }
sex-label = Sex
choose-female = Female
choose-male = Male
choose-unknown = Unknown
neutered-label = Neutered
chip-label = Microchip
chip-short = chip { $number }
chip-hint = 15 digits
chip-test = A test transponder (999), not a registered animal.
chip-legacy = Older than the ISO standard; some scanners do not read it.
chip-unusual = Not one of the usual forms. Scan it once more.
none-known = None known
died-label = Died
visits-title = Visits
no-visits = No visits yet
no-visits-text = Every visit to the clinic is listed here, the latest first.
visit-without-reason = Visit
day-and-month = { $day } { $month }
stage-finished = Finished
stage-being-written = Being written
appointments-title = Appointments
no-appointments = Nothing booked
no-appointments-text = What is booked and what was is listed here.
earlier-ones = { $count } earlier
pet-with-vet = { $name } · { $vet }
standing-cancelled = Cancelled
standing-done = Done
standing-ready = Ready to leave
standing-in-room = In a room
standing-waiting = Waiting
standing-booked = Booked
owner-title = Owner
owner-since = since { $month } { $year }
no-owner = No owner is known.
weight-changed = { $percent } % in { $days } d
weight-changed-today = { $percent } % since earlier today
weight-was = was { $weight }
weight-on = { $date }: { $kg }, { $lb }
weight-then = { $weight }, { $date }
weight-entries = { $count ->
    [one] 1 entry · { $last }
   *[other] { $count } entries · last { $last }
}
chart-label = Weight: from { $first }, last { $last }, { $number } entries
never-weighed = Not weighed yet
never-weighed-text = The first weight begins the line.
record-weight = New weight
record = Record
weight-hint = In kg; write lb or g behind the number for others
weight-recorded = { $weight } recorded
weight-retracted = The weight is taken back
weight-cleared = Cleared in the visit
retract-weight-of = Take back { $weight }
retracted-because = taken back: { $reason }
wrong-animal-hint = For example: wrong animal on the scale. It stays in the history.
weight-doubtful = { $weight } after { $before }: was that pounds?
weight-as-pounds = { $typed } lb, that is { $kg }
weight-keep = { $weight } is right
pounds = { $lb } lb
unit-pounds = lb
show-table = Show as a table
hide-table = Hide the table
by-label = By
actions-label = Actions
report-death = { $name } has died
record-death = Record the death
death-recorded = The death of { $name } is recorded
death-means = No reminder about { $name } will be sent any more. The record stays as it is.
death-still-booked = { $count ->
    [one] One appointment is still booked.
   *[other] { $count } appointments are still booked.
}
death-in-future = This day is still to come
death-date-needed = On which day?
retract-death = Report of death was a mistake
is-alive = { $name } is alive
death-retracted = { $name } is no longer recorded as dead
printed-at = printed { $date } { $time }
born-on = born { $date }

## Visit

visit-opening = Opening the visit
visit-missing = This visit is not on this device
visit-missing-text = It may still be on its way from the clinic, or the address is wrong.
to-the-day = To the day
visit-of = Visit of { $name }
vet-at = { $vet } · { $time }
room-at = { $room } · { $vet } · { $time }
parts-of-visit = Parts of the visit
finish-and-more = More
letter-history = S
letter-examination = O
letter-assessment = A
letter-plan = P
section-history = History
section-examination = Examination
section-assessment = Assessment
section-plan = Plan
ask-history = What the owner tells
ask-examination = What you find
ask-assessment = What it is, what it may be
ask-plan = What is done, what comes next
nothing-written = Nothing written.
written-by-vet = The veterinarian writes this part
read-only = Your role reads the notes
left-over = Not saved: these words came after the visit was finished
copy-text = Copy the words
writing = Writing…
saved-here = Saved here
at-the-clinic = At the clinic
finished-at = Finished { $time } · { $vet }
finished-hint = Reopen it to write again.
finish-visit = Finish visit
finish-key = Ctrl ⏎
reopen-visit = Reopen
visit-finished = The visit is finished
visit-reopened = The visit is open again
finish-waits = Not finished: what was typed last is not saved yet
vital-temperature = Temperature
vital-heart = Heart
vital-breathing = Breathing
vital-weight = Weight
vital-condition = Condition
vital-refill = Refill
vital-membranes = Gums
unit-celsius = °C
unit-per-minute = /min
unit-kilograms = kg
unit-of-nine = / 9
unit-seconds = s
in-range = in range
below-range = below { $limit }
above-range = above { $limit }
beside-visit = History and finishing
this-visit = This visit
vet-label = Vet
room-label = Room
started-label = Started
finished-label = Finished
former-visits = Before
first-visit = This is the first visit here.

## Shell

page-title = { $page } · { $app }
page-of-patient = Patient
page-of-client = Client
page-of-visit = Visit
page-of-colleague = Colleague
skip-to-content = Skip to content
opening-records = Opening the records of this device
menu = Menu
nav-main = Main
nav-places = Places
nav-day = Day
nav-patients = Patients
nav-clients = Clients
nav-me = Me
nav-pets = Pets
needs-attention = Needs attention
needs-attention-count = { $count ->
    [one] 1 needs attention
   *[other] { $count } need attention
}
to-decide = to decide
search-hint = Find a pet, person, phone, chip…
search-hint-plain = Find a pet, person, phone or chip
find-pet-or-person = Find a pet or person
new-client = New client
book = Book
book-appointment = Book an appointment
book-for = Book for { $pet }
joined = { $first } · { $second }
middle-dot = { " · " }
key-ctrl-k = Ctrl K
key-cmd-k = ⌘ K
key-ctrl = Ctrl
key-enter = Enter
key-esc = Esc
breed-and-age = { $breed }, { $age }
died = Died
open = Open
show = Show
later = Later
try-again = Try again
try-now = Try now
waiting = Waiting
date = Date
species-label = Species
roles-label = Roles

status-details = What is saved here and what is at the clinic
status-at-clinic = At the clinic · { $time }
status-offline-since = Offline since { $time }
status-offline = Offline
status-offline-short = Offline · { $waiting }
status-not-connected = Not connected
status-connecting = Connecting to the clinic
status-connecting-short = Connecting
status-receiving = Getting records
status-sending = Sending { $waiting }…
status-held = { $count ->
    [one] 1 waits for a colleague
   *[other] { $count } wait for a colleague
}
held-why = { $count ->
    [one] 1 of them is in a record with work of a colleague that is sent when they sign in here again, and goes with it.
   *[other] { $count } of them are in records with work of a colleague that is sent when they sign in here again, and go with it.
}
others-wait-on-computer = { $count ->
    [one] 1 change of { $name } on this computer is not at the clinic yet.
   *[other] { $count } changes of { $name } on this computer are not at the clinic yet.
}
others-wait-on-tablet = { $count ->
    [one] 1 change of { $name } on this tablet is not at the clinic yet.
   *[other] { $count } changes of { $name } on this tablet are not at the clinic yet.
}
others-wait-on-phone = { $count ->
    [one] 1 change of { $name } on this phone is not at the clinic yet.
   *[other] { $count } changes of { $name } on this phone are not at the clinic yet.
}
since = since { $when }
others-refused = { $count ->
    [one] 1 change of { $name } was not taken by the clinic.
   *[other] { $count } changes of { $name } were not taken by the clinic.
}
as-of = As of { $when }, from the clinic
as-of-short = As of { $when }
status-disk-full = Not saving: disk full
status-not-saving = Not saving
saved-on-computer = { $count } saved on this computer
saved-on-tablet = { $count } saved on this tablet
saved-on-phone = { $count } saved on this phone
all-at-clinic = Everything is at the clinic
everything-sent = { $clinic } has all that was written on this device.
yours-at-clinic = Your work is at the clinic
yours-all-sent = The clinic has all that you wrote on this device.
being-sent = Being sent to the clinic now.
last-heard = Last heard from the clinic { $when }.
never-heard = The clinic has not been reached from this device yet.
sent-when-reached = What you write is kept here and sent as soon as the clinic can be reached. You can close the app; it stays.
what-waits = What is waiting
show-all-waiting = Show all { $count }
nothing-waits = Nothing on this device is waiting to be sent.
and-more = and { $count } more
back-to-day = Back to the day
back-to-pets = Back to my pets

last-typed-not-saved = What you wrote last is not saved. It stays on the screen while you put this right; please do not close the window.
try-saving-again = Try saving again
session-ended = Your session has ended.
session-ended-why = Nothing is lost, and you can go on working: what you write is saved on this device. Sign in to send it to the clinic.
sign-in-again = Sign in again
signed-in-again = Signed in again
update-needed = This version is too old for the clinic.
update-needed-why = What you write is saved on this device and sent after the update.
update-now = Update now
update-waits = Not updated: what was typed last is not saved yet
server-older = The clinic’s server is being updated.
server-older-why = Go on working: what you write is saved on this device and sent afterwards.
not-accepted = The clinic’s server does not accept this device.
not-accepted-why = What you write is saved here, but not sent. Please tell your clinic’s administrator.
new-build = A new version is ready.
new-build-why = It takes a moment, and nothing is lost.
newer-records = Some records come from a newer version.
newer-records-why = They are kept and appear after the update.
damaged-records = { $count ->
    [one] One record on this device is damaged.
   *[other] { $count } records on this device are damaged.
}
damaged-records-why = The clinic sends them again. What you wrote in them and was not sent yet is kept apart, and safe.
unreadable-from-clinic = Something arrived damaged from the clinic.
unreadable-from-clinic-why = It was not kept and is asked for again. Go on working.
window-silent = Nothing is saved at the moment.
window-silent-do = What keeps the records in this browser does not answer; it may be another window. Go on here; if this stays, close the others.
little-room = This device has only { $megabytes } MB left for the clinic.
little-room-do = Free some space before it is full; then nothing more could be saved.
may-be-deleted = The browser may delete the records here
may-be-deleted-do = If the device runs out of space. What has reached the clinic comes back; what has not would be lost. Installing the clinic as an app, or a bookmark, makes that less likely.
records-deleted = The browser has deleted the records from this device
records-deleted-do = { $count ->
    [0] Everything had reached the clinic. Sign in, and it comes back.
    [one] Sign in, and what had reached the clinic comes back. One change that waited here had not, and is lost.
   *[other] Sign in, and what had reached the clinic comes back. { $count } changes that waited here had not, and are lost.
}
clock-off = This device’s clock is wrong.
clock-behind = It is { $off } behind the clinic’s. Times that you write here are wrong by as much; please set the clock.
clock-ahead = It is { $off } ahead of the clinic’s. Times that you write here are wrong by as much; please set the clock.

getting-records = Getting your clinic’s records
getting-records-first = Today’s patients come first. You can start working as soon as they are here.
records-to-come = The first records are on their way
records-arrived = { $received } of { $total } records
rest-arrives = You can work; the rest arrives meanwhile

list-of-keys = Keys
list-of-keys-why = Everything can be done without a mouse.
keys-of-page = On this page
keys-everywhere = Everywhere
go-to-day = Go to the day
go-to-patients = Go to the patients
go-to-clients = Go to the clients
go-to-me = Me and this device

## Signing in

sign-in = Sign in
sign-in-to-clinic = Sign in to your clinic
signing-in = Signing in…
clinic-address = Clinic address
clinic-address-hint = Your clinic’s administrator knows it. It looks like clinic.example.com
desktop-close-again = Not everything is saved. Close the window again to close it all the same.
desktop-no-program-for-link = No program on this computer opens this link
clinic-address-missing = Type your clinic’s address
clinic-address-odd = This is not an address. It looks like clinic.example.com
email = Email
password = Password
show-password = Show the password
sign-in-wrong = That email and password do not go together
sign-in-wrong-do = Check both and try again.
which-clinic = At which clinic?
have-link = I have a link from a mail
sign-in-work-waits = { $waiting ->
    [one] { $waiting } change of { $name } waits on this device
   *[other] { $waiting } changes of { $name } wait on this device
}
sign-in-overtaken = This device was locked or unlocked meanwhile
sign-in-overtaken-do = Try again, if it is you who works here now.
cannot-sign-in-here = Signing in did not work on this device
sign-in-work-waits-do = They would be lost. { $name } has to sign in here first, until they have been sent.

## What the clinic’s server says

asking-clinic = Asking the clinic…
needs-clinic = Shown when the clinic can be reached.
shown-as-of = What is shown here is as of { $at }.
known-at = This is as of { $at }. What is newer, and any change, needs the clinic’s server; check the connection, then try again.
unreachable = The clinic cannot be reached
unreachable-do = This needs the clinic’s server. Check the connection, then try again.
slow-down = Too many tries
slow-down-do = You can try again in { $left }.
session-ended-now = Your session has ended
session-ended-now-do = Sign in again, then repeat it.
password-weak = This password is among the first that are tried
password-weak-do = Choose another one: a few words that do not belong together are good and easy to keep.
password-hint = At least { $least } characters. A few words that do not belong together are good and easy to keep.
password-too-short = At least { $least } characters
password-not-that = This is not your password
no-membership = This account belongs to no clinic
no-membership-do = Ask your clinic’s administrator to invite you.
this-device-lost = This device was reported as lost
this-device-lost-do = If it is yours, say on another device under Me that it was found, then sign in.
last-administrator = The clinic needs an administrator
last-administrator-do = Make somebody else an administrator first.
no-mail = This server cannot send mail
no-mail-do = Ask whoever runs it to name a mail server.
not-for-your-role = Not for your role
call-not-permitted-do = Ask your clinic’s administrator.
call-not-found = It is no longer there
call-not-found-do = Somebody may have changed it meanwhile.
bad-request = The clinic did not take it
bad-request-do = Check what was typed, the address of the mail above all.
odd-answer = The clinic answered in a way this version does not understand
odd-answer-do = This app may be older than the clinic’s server: close it and open it again, so that it is updated. If it stays so, tell your clinic’s administrator.
two-sentences = { $first }. { $second }

## Sign-in providers

or = or
sign-in-with = Sign in with { $provider }
join-with = Join with { $provider }
waiting-for-browser = Go on in your browser. This window waits until you are back.
wait-no-more = Cancel
desktop-back-to-program = You can close this page and go back to the program.
coming-back = One moment
linked-elsewhere = It belongs to another account here
linked-elsewhere-do = Sign in with it, and take it away there under Me first.
last-way-in = You could not sign in any more
last-way-in-do = Choose a password first, then take it away.
provider-refused = You were not let in there
provider-refused-do = Try it again, or sign in with your password.
provider-away = It cannot be reached at the moment
provider-away-do = Try it again in a minute, or sign in with your password.
not-anew = It does not show that you signed in there just now
not-anew-do = Choose a password under Me by a mail’s link; then that is enough.
not-the-linked = That is another account than the linked one
not-the-linked-do = Begin again, and sign in there with the one that is linked.
password-needed = You have a password
password-needed-do = Begin again: it is enough.
nothing-linked = Nothing was linked
may-be-linked = It may be linked all the same: look under Me, and begin once more if it is not there.
begin-again = You can begin again.
begin-again-later = Begin again in a minute.
lost-way = This page has nothing to go on with
lost-way-do = It was too long ago, or began in another tab. Sign in again.
lost-way-while-here = It was too long ago, or began in another tab. Begin again.
not-linked = Your { $provider } account is not linked yet
not-linked-do = If you have an account here, sign in with its password this once; from then on { $provider } is enough. If you have none, ask your clinic to invite you.
not-linked-invited = You have an account with this address already. Enter its password this once; from then on { $provider } is enough.
link-and-sign-in = Link and sign in

## Second factors

one-more-step = One more step
one-more-step-do = Your account asks for more than a password.
go-on = Go on
code-of-app = Code
code-of-app-do = Type the six digits that your authenticator app shows now.
code-missing = The code has six digits
code-wrong = This is not the code of this half minute, or it was used. Wait for the next one.
wrong-code = This code does not do
wrong-code-do = Try the next one.
recovery-code = Recovery code
recovery-code-do = Type one of the codes that you kept when you set this up. Each of them works once.
recovery-code-missing = Type a recovery code
recovery-code-wrong = This is none of your recovery codes, or it was used.
use-app = Use the app
use-recovery-code = Use a recovery code
use-passkey = Use a passkey
show-passkey-do = Your device asks for your finger, your face or its PIN.
no-second-factor-here = What you have set up does not work here
no-second-factor-here-do = Sign in with your web browser, or ask your clinic’s administrator for help.
step-is-over = There is nothing to go on with any more
step-is-over-do = It took longer than ten minutes, or the answer was lost on its way. Sign in once more. If you were setting up an app, make new recovery codes under Me then: you have not seen those that came with it.
prove-first = First show that it is you.
prove-once-more = It is a while since you showed that it is you. Do it once more; what you typed is still there.
proof-is-over = That took too long, or the answer was lost on its way. Begin once more.
may-be-done = That took too long, or it is done already and the answer was lost on its way. If it is, recovery codes came with it that you have not seen, and former ones no longer work: make new recovery codes. If it is not, you are told so, and begin once more.
passkey-may-be-made = The answer was lost on its way, so the passkey may be made already. If it is the first that you show beside your password, recovery codes came with it that you have not seen: make new recovery codes. If it is not under Me, begin once more.
app-may-be-set-up = It may be done all the same. Type the next code: you see then how it stands. If you leave now, make new recovery codes later: those that came with it you have not seen.
nothing-to-make-codes-for = Nothing is set up that recovery codes would be for. So it was not done: close this, and begin once more.
codes-went = Your recovery codes are not kept
codes-went-why = They went from the screen before you said that you have kept them, because this device locked for example. They are not shown again: whoever came by may have seen them.
codes-unseen = You may have recovery codes that you have not seen
codes-unseen-why = Codes were made, or may have been, and never came to this screen. Nobody can show them any more.
codes-to-make-anew-do = Make new ones now: the former ones no longer work then, and you get in if you lose your phone.
recovery-codes-not-kept = You have not kept them. Make new ones, so that you get in if you lose your phone.
former-codes-may-be-void = It may be done all the same: then your former codes no longer work. Try again until you see new ones.
clinic-asks-for-second-factor = Your clinic asks for one more step
clinic-asks-for-second-factor-do = From now on you show a code of an app beside your password. Setting it up takes a minute, this once.
get-an-app = Have an authenticator app on your phone: the one that you use already, or any that you find under this name.
scan-code = Scan this with the app.
scan-elsewhere = Or scan this with an app on another device.
open-in-app = Open in the app on this device
qr-code = QR code for your authenticator app
cannot-scan = It cannot be scanned
type-secret = Type this key into the app instead, as a key by time.
first-code = The code that the app shows now
recovery-codes = Recovery codes
recovery-codes-what-for = These are your recovery codes: if you lose your phone, one of them lets you in. Each works once. They are not shown again.
recovery-codes-of = Recovery codes of { $program }
recovery-codes-paper = Made on { $date }. Each works once, beside your password. Keep this where nobody else looks.
print-codes = Print
save-codes = Save as a file
codes-file-name = recovery-codes
codes-file = Recovery codes, made on { $date }. Each works once, beside your password.

    { $codes }
codes-not-copied = They could not be copied. Print them, or save them as a file.
codes-saved = Saved with your downloads
codes-not-saved = It could not be saved. Copy or print them.
codes-are-kept = I have kept these codes where I find them again
codes-not-kept = Keep them first, then tick this
sign-in-with-passkey = Sign in with a passkey
passkey-given-up = No passkey was used
passkey-given-up-do = Try it again, or go on another way.
passkey-here-already = This device has one already
passkey-here-already-do = Each device needs one passkey for you.
passkey-not-here = Passkeys do not work here
passkey-not-here-do = Another browser may have them.
passkey-refused = This passkey does not do
passkey-refused-do = It may have been taken away. Sign in another way.
no-passkeys = This clinic has no passkeys
no-passkeys-do = Its server needs an address with a name, and a certificate.
last-second-factor = The last one stays
last-second-factor-do = Your clinic asks its staff for a second step. Add another one first.
how-you-sign-in = Signing in
your-clinic-asks = Your clinic asks for a second step
your-clinic-asks-what = One of these stays, beside your password.
authenticator-app = Authenticator app
authenticator-app-why = Then your password alone lets nobody in: you show a code of an app on your phone too.
set-up = Set up
set-up-since = Set up on { $date }
is-on = On
replace = Replace
what-of = { $what }: { $of }
recovery-codes-why = For the day when you lose your phone.
recovery-codes-few = There are few left. Have new ones made before you need them.
recovery-codes-left = { $count ->
    [0] None left
   *[other] { $count } left
}
new-codes = New codes
passkeys = Passkeys
passkeys-why = Sign in with your finger, your face or your device’s PIN, without a password.
add-one = Add one
passkey-named = Passkey “{ $name }”
passkey-used = Last used { $at } · made on { $made }
passkey-unused = Made on { $made }, not used yet
set-app-up = Set up an authenticator app
set-app-up-why = If you have an app set up already, the new one takes its place.
app-is-set-up = Your authenticator app is set up
remove-app-question = Take the authenticator app away?
remove-app-what = If it is the last one, your password alone is enough to sign in from then on.
app-is-removed = The authenticator app is taken away
renew-recovery-codes = New recovery codes
renew-recovery-codes-what = The former codes no longer work then.
make-new-codes = Make new codes
recovery-codes-are-renewed = You have new recovery codes
add-passkey = Add a passkey
make-passkey = Make the passkey
make-passkey-do = Your device makes one and asks for your finger, your face or its PIN. It signs you in on this device, and on others that share it.
waiting-for-passkey = Waiting for your device…
passkey-name = Name
passkey-name-hint = Where it is kept: “My phone”, “Laptop at reception”.
passkey-is-added = You can sign in with the passkey from now on
remove-passkey-question = Take the passkey away?
remove-passkey-what = It signs nobody in any more. Delete it on the device that keeps it too.
passkey-is-removed = The passkey is taken away
ask-for-second-factor = Ask staff for a second step
ask-for-second-factor-why = Beside the password, everybody of the staff shows a code of an app or a passkey at sign-in
second-factor-count = { $have } of { $count } have one set up.
ask-for-second-factor-question = Ask everybody of the staff for a second step?
ask-for-second-factor-none = Whoever has none yet sets up an app at their next sign-in. They need a phone for that.
ask-for-second-factor-others = Nobody is signed out, and unlocking a device stays as it is. Owners are not asked.
ask-for-it = Ask for it
second-factor-is-asked-for = From the next sign-in on, staff are asked for a second step
ask-no-more-question = Ask for no second step any more?
ask-no-more-what = Whoever has one keeps it until they take it away. Nobody else is asked for one.
ask-no-more = Do not ask
second-factor-is-not-asked-for = Staff are not asked for a second step any more
how-they-sign-in = Signing in
second-factors = Second step
no-second-factor = None set up.
take-factors-away-why = For when { $name } has lost the phone and the recovery codes.
take-factors-away = Take it away
take-factors-away-now = Take the second step away
take-factors-away-question = Take the second step of { $name } away?
take-factors-away-sure = Be sure that it is { $name } who asks: whoever has the password comes in then.
take-factors-away-what = App, passkeys and recovery codes no longer work. { $name } is told by mail, and sets up new ones if the clinic asks for it.
factors-taken-away = Nothing that { $name } had set up is asked for any more
no-factors-to-take-away = { $name } has none set up.
factors-not-yours-to-take = { $name } belongs to another clinic too, or has a role that you cannot give. Whoever runs the server can help.

## Links from mails

forgot-password = Forgot your password?
forgot-password-do = A mail with a link lets you choose another one.
send-mail = Send the mail
mail-on-its-way = A mail is on its way
mail-on-its-way-if = If { $email } has an account here. Follow the link in it, on any device.
another-mail = Send another mail
back-to-sign-in = Back to signing in
to-sign-in = Sign in
paste-link = Paste the link from your mail
paste-link-do = Copy the whole link, then paste it here.
link-label = Link
link-not-one = This is not the whole link of a mail from a clinic
link-elsewhere = This link belongs to { $origin }. Open it there.
link-dead = This link no longer works
link-dead-invitation = It was used, withdrawn, or is too old. Ask whoever invited you for another one.
link-dead-reset = It was used or is too old.
link-dead-verify = It was used or is too old. You can have another one sent under Me.
choose-password = Choose a new password
new-password = New password
your-password = Your password
save-password = Save the password
reset-signs-out = Wherever you are signed in, you will be signed out.
password-changed = Password changed
password-changed-do = Sign in with the new one.
verify-title = Your email address
verified-now = Your address is verified
verified-now-why = The clinic knows now that mails reach you.
invitation = Invitation
join-clinic = Welcome to { $clinic }
invited-by = { $inviter } invites you as { $role }.
join = Join { $clinic }
has-account = You have an account with this address already. Its password is enough.
account-is-ready = You are part of the clinic now. Sign in on another device, or here once that work has been sent.
your-name = Your name
link-works-until = The link works until { $date }.
is-signed-in-here = { $name } is signed in here
go-on-as = Go on as { $name }
joining-signs-out = Joining signs them out on this device. What they wrote stays, and is sent when they sign in again.

## My account, devices and clinics

my-account = My account
change-of-setting = Change: { $what }
name-changed = Name changed
verified = Verified
not-verified = Not verified
send-again = Send the mail again
verification-sent = A mail with a link is on its way
new-email-waits = A new address waits
new-email-waits-do = { $email } takes its place when the link in the mail to it has been followed.
leave-new-email = Leave it
new-email-left = Your address stays as it is
change-email = Change the email address
change-email-how = A mail goes to the new address. It counts when the link in it has been followed; until then the old one does.
new-email = New address
new-email-sent = A mail is on its way to { $email }. If none comes within a few minutes, change it once more
no-password-why = You have none, as you sign in with a linked account.
choose-one = Choose one
choose-first-password = Choose a password
choose-by-mail = Choose it by a mail’s link instead
password-chosen = You have a password now
choose-password-sent = A mail is on its way to { $email }: its link lets you choose a password.
linked-accounts = Linked accounts
linked-as = { $email }, since { $date }
linked-since = Since { $date }
link-provider = Link { $provider }
link-provider-why = Then you can sign in with it too.
no-proof = Choose a password first; then you can change what you sign in with.
no-proof-here = Choose a password under Me first; then you can do this.
link-provider-go-on = Go on with { $provider }
provider-is-linked = { $provider } is linked: you can sign in with it from now on
former-provider = A former sign-in provider
unlink = Take away
unlink-question = Take { $provider } away?
unlink-what = You will not be able to sign in with it any more. Where you are signed in, you stay so.
unlinked = { $provider } is taken away
password-why = When it changes, every other device is signed out.
change-password = Change the password
change-signs-out = Every other device is signed out. This one stays.
my-devices = My devices
devices = Devices
no-devices = No devices
no-devices-why = Nobody has signed in here with this account yet.
unnamed-device = Unnamed device
device-seen = Last seen { $at } · since { $since }
lost = Lost
signed-out = Signed out
device-lost-waits = Reported lost { $at }. Its records are deleted as soon as it reaches the clinic.
device-lost-purged = Reported lost { $at }. Its records were deleted { $purged }.
rename = Rename
rename-device = Rename the device
device-name = Name
device-name-hint = Where it stands or who carries it: “Tablet in room 2”.
device-renamed = Renamed
sign-out-there = Sign out there
sign-out-device-question = Sign out on { $device }?
sign-out-device-mine = You sign in there again with your password. What you wrote there and was not sent yet stays on it until you or a colleague signs in there.
sign-out-device-of = { $name } signs in there again with the password. What was written there and not sent yet stays on it until { $name } or a colleague signs in there.
device-signed-out = Signed out on { $device }
report-lost = Report as lost
report-lost-question = Report { $device } as lost?
report-lost-what = It is signed out at once. As soon as it reaches the clinic, the records on it are deleted, and nobody can sign in on it.
report-lost-unsent = What was written on it and has not reached the clinic is lost with it.
report-lost-found = If it turns up, say here that it was found.
device-reported = { $device } is reported as lost
found-again = It was found
device-found = { $device } can be used again
my-clinics = My clinics
you-are-here = You are here
go-there = Go there
go-to-clinic = Go to { $clinic }
go-to-clinic-why = This device then holds the records of that clinic. Those of this one come again when you come back.
now-at-clinic = You are at { $clinic } now

## Staff and roles

nav-staff = Staff
staff-and-roles = Staff and roles
staff-and-roles-why = Who works here, what they may do, and on which devices.
only-administrators = The clinic’s administrator looks after the staff.
only-system-administrators = Only a system administrator changes this.
from-directory = As the records on this device know them. Who can sign in, and where, is known to the clinic’s server.
people-count = { $count ->
    [one] 1 person
   *[other] { $count } people
}
device-count = { $count ->
    [0] no device
    [one] 1 device
   *[other] { $count } devices
}
never-seen = not seen yet
seen-at = seen { $at }
that-is-you = you
invite-colleague = Invite a colleague
send-invitation = Send the invitation
invitation-sent = An invitation is on its way to { $email }
invitation-how = The mail brings a link, with which they choose a password and are at work.
full-name = Full name
choose-role = Choose at least one role
may-owner = See their own animals and appointments.
may-front-desk = Book and check in, look after clients and animals.
may-technician = The front desk’s, and vital signs, weights, alerts and history.
may-veterinarian = All of a visit: notes, assessment and plan; finish it.
may-clinic-administrator = Invite colleagues, change roles, set up rooms and hours.
may-system-administrator = Open clinics; see no medical record.
may-viewer = Read everything, change nothing.
takes-appointments = Takes appointments
takes-appointments-why = Then there is a column for them on the day.
takes-appointments-as = On the day as { $name }.
name-on-day = Name on the day
name-on-day-hint = “{ $name }”, unless another one is written here.
doctor = Dr { $name }
open-invitations = Invited, not here yet
no-invitations = Nobody is waited for
no-invitations-why = Who was invited stands here until they have come.
invited-when = { $inviter }, { $at }
invitation-expired = Expired
mail-waits = Mail waits
mail-sent = Mail sent
mail-refused = Mail refused
withdraw = Withdraw
withdraw-question = Withdraw the invitation to { $email }?
withdraw-what = Once it is withdrawn, the link in the mail no longer works.
withdrawn = The invitation to { $email } is withdrawn
what-they-may = What they may do
change-roles = Change the roles
roles-of = Roles of { $name }
roles-at-once = They count at once, on every device.
roles-changed = { $name } has new roles
saved-directory = Saved
end-membership = End the membership
end-membership-question = End { $name }’s time at the clinic?
end-membership-what = { $name } is signed out everywhere at once and sees nothing of the clinic any more.
end-membership-unsent = What they have not sent by then is not lost: when their devices connect, it comes to Handed in, where you take it over or discard it. Then the records go from their devices.
membership-ended = { $name } no longer belongs to the clinic
no-such-member = Nobody here
no-such-member-why = They may have left the clinic.

## The owner’s app

owners-app = The owner’s app
invite-to-owners-app = Invite to the owner’s app
has-owners-app = { $email } has it
invite-owner = Invite { $name } to the owner’s app
invite-owner-what = They see their own animals and appointments, and nothing of anybody else’s.
no-email-of = No email of { $name }
no-email-of-do = Write it down with their contacts first.

## Clinics

clinics = Clinics
clinics-why = All clinics of this server.
clinic-count = { $count ->
    [one] 1 clinic
   *[other] { $count } clinics
}
open-a-clinic = Open a clinic
open-clinic-and-invite = Open and invite
no-clinics = No clinics yet
no-clinics-why = Open the first; its administrator is invited by mail.
open-since = since { $date }
clinic-name = Name of the clinic
time-zone = Time zone
time-zone-hint = As “Europe/Prague”.
time-zone-odd = This is not a time zone
first-administrator = Its first administrator
first-administrator-why = They get a mail, choose a password, and invite the others.
clinic-opened = { $clinic } is open; an invitation is on its way to { $email }
web-browser-on = { $browser } on { $system }
web-browser = Web browser
desktop-program-on = The program on { $system }

## Locking and unlocking

lock = Lock
locked = Locked
locking = Saving what is typed, then locking
half-typed-is-kept = What you had begun to type is there when you open it again
locked-why = The records on this device are encrypted. Unlocking needs no connection.
locked-waiting = { $count ->
    [one] 1 change of this device waits for the clinic
   *[other] { $count } changes of this device wait for the clinic
}
locked-may-wait = Changes of this device may wait for the clinic
who-works-here = Who works here?
sign-in-with-email = Sign in with email
unlock = Unlock
unlocking = Unlocking…
pin = PIN
keypad = Digits
take-back-digit = Take back the last digit
use-password = Use the password
use-pin = Use the PIN
only-by-signing-in = Sign in to unlock this device. That needs a connection
pin-wrong = That is not the PIN
pin-tries-left = { $left ->
    [one] 1 try left. After that the PIN does not unlock any more.
   *[other] { $left } tries left
}
password-wrong = That is not the password
password-wrong-do = It is the one that you signed in with on this device last.
pin-gone = The PIN does not unlock any more
pin-gone-do = It was tried too often. Use the password, then set a new PIN.
sealed-by-others = These records were locked by others
sealed-nothing-waits = Ask one of them to unlock this device. Or delete the records here: the clinic has all of them.
sealed-work-waits = Work that the clinic does not have waits here. Ask one of them to unlock this device, then sign in.
delete-and-begin-anew = Delete and begin anew
not-protected = The records on this device are not encrypted yet.
not-protected-why = Sign in again, and they are.
pin-offer = Set a PIN to be back in a second.
pin-offer-why = It unlocks this device when it has locked itself.
set-pin = Set a PIN
pin-what-for = It unlocks the records on this device alone. Whoever steals the device can try it five times.
new-pin = New PIN
pin-again = The same PIN again
pin-rules = At least 6 digits; nothing like 123456
pins-differ = These two PINs differ
pin-needs-password = To be sure that it is you
pin-needs-sign-in = To be sure that it is you, sign in again. What you have typed here stays
pin-not-digits = A PIN is made of digits
pin-too-short = A PIN has at least 6 digits
pin-too-long = A PIN has at most 12 digits
pin-too-plain = This one is tried first. Choose another
pin-is-set = Your PIN is set
pin-is-removed = Your PIN is removed
pin-change = Change PIN
pin-remove = Remove PIN
pin-has = You unlock this device with a PIN
pin-has-none = You unlock this device with your password
pin-has-neither = You unlock this device by signing in, which needs a connection
how-it-locks = How it locks
lock-now = Lock now
lock-now-why = Your colleagues find their names there
locks-after = Locks itself
locks-after-why = When nobody has touched it for so long. Holds for everybody on this device
lock-minutes = { $minutes } min
lock-hour = 1 h
lock-never = Never
remove-me = Remove me from this device
remove-me-why = Neither your PIN nor your password opens it any more
remove-me-waits = Not yet: changes that you wrote here have not reached the clinic
remove-me-question = Remove you from this device?
remove-me-do = Remove

## Opening the records

cannot-open = Cannot open the records
private-window = This window cannot keep your work
private-window-do = It is private or too old, so nothing could be kept on this device. Open the clinic in a normal, current window and sign in there.
copy-address = Copy the address
open-elsewhere = The clinic is open in another window
open-elsewhere-do = That window has the records of this device and does not answer. Close it, and this one goes on. What it called saved is safe.
records-cannot-be-opened = The records of this device cannot be opened
something-broke = Something went wrong
something-broke-do = What was saved is safe. Try again; if it stays so, tell your clinic’s administrator.

## Palette and lists

go-anywhere = Go anywhere
results = Results
palette-recent = You had open
palette-pets = Pets
palette-people = People
palette-do = Do
palette-choose = choose
palette-open = open
palette-book = book
nobody-called = Nobody called “{ $name }”
nobody-called-why = Looked through the names, phones, emails and chips on this device.
filter-patients = Narrow by name, owner, phone or chip
filter-clients = Narrow by name, pet, phone or email
shown-of = { $shown } of { $total }
show-more = Show more
show-all = Show all
type-more = Type more to narrow it down
no-patients-yet = No patients yet
no-clients-yet = No clients yet
nobody-yet-why = Write the first client, then their animals.

## Needs attention

count-to-decide = { $count } to decide
nothing-needs-you = Nothing needs you
nothing-needs-you-why = The clinic took everything that was written on this device.
nothing-lost = Nothing is lost.
refused-safe-on-computer = The clinic could not take these. They are safe on this computer; do them again another way, or ask somebody who may.
refused-safe-on-tablet = The clinic could not take these. They are safe on this tablet; do them again another way, or ask somebody who may.
refused-safe-on-phone = The clinic could not take these. They are safe on this phone; do them again another way, or ask somebody who may.
refused-yours-too = A colleague who signs in on this device can do them as their own work.
written-at = written { $when }
written-by = written { $when } by { $name }
somebody = somebody else
erased-person = Erased person
not-taken = The clinic did not take it: { $why }
only-taken-away = Words were taken out, and none were written.
not-readable-here = This version of the program cannot read what it was.
try-all-again = Try all again
on-its-way = On its way to the clinic
do-as-mine = Do it as my own
change-it = Change…
change-and-try-again = Change and try again
goes-to-end = It is added at the end of what stands there now.
copy-it = Copy
copied-it = Copied
not-copied = It could not be copied
copy-all = Copy all
hand-over = Hand over…
hand-over-title = Hand over to a colleague
hand-over-here = On this device
hand-over-here-how = Sign out and let your colleague sign in. They find it under Needs attention and do it as their own work; the record then names them.
hand-over-elsewhere = On another device
hand-over-administrator = To the clinic’s administrator
hand-over-administrator-how = They find it under Handed in, on any device, and do it as their own work or discard it. You cannot take that back.
hand-over-administrator-do = Hand it to the administrator
goes-to-administrator = It goes to the clinic’s administrator
handed-in-list = With the clinic’s administrator
handed-in-list-why = They decide about these. What waits is handed in as soon as the clinic can be reached.
handed-in-at = handed in { $at }
hand-over-elsewhere-how = Copy it, send it to them, and discard it here once they have done it.
let-go = Discard…
let-go-title = Discard what was not taken?
let-go-what-stays = It stays on this device with your name and the reason, and can be put back.
let-go-why = Why is it not needed?
let-go-do = Discard
let-go-done = Discarded
let-go-list = Discarded on this device
let-go-by = discarded { $when } by { $name }: { $reason }
put-back = Put back
is-put-back = Back on the list
of-colleagues = Work of colleagues
of-colleagues-why = The clinic did not take it from them. If you may do it, do it as your own; the record then names you.
open-record = Open the record
open-record-of = Open { $name }
refused-not-permitted = Your role may not change this. Ask somebody who may.
refused-builds-on-refused = It builds on another change here that the clinic could not take.
refused-too-large = It is too large to be sent.
refused-other-clinic = It belongs to another clinic.
refused-not-signed = The clinic could not tell whose work it is. Do it again in your own name.
refused-newer = It was written by a newer version than the clinic’s server.
refused-copied-device = The records on this device were copied from another device. Tell your clinic’s administrator.
refused-unreadable = The clinic could not read it.

change-of = { $about }: { $what }
change-registered = registered
change-details = details changed
change-weight = weight
change-weight-retracted = weight taken back
change-alert = alert
change-alert-retracted = alert taken back
change-death = death reported
change-death-retracted = death report taken back
change-booked = booked
change-moved = appointment moved
change-cancelled = appointment cancelled
change-reinstated = appointment booked again
change-checked-in = checked in
change-check-in-undone = check-in taken back
change-checked-out = checked out
change-check-out-undone = check-out taken back
change-visit-started = visit started
change-vitals = vital signs
change-notes = notes
change-visit-finished = visit finished
change-visit-reopened = visit opened again
change-chosen = value chosen
change-settings = settings
change-other = change
record-clinic = Clinic
record-client = Client
record-patient = Patient
record-appointment = Appointment
record-visit = Visit
record-client-notes = Notes about a client
record-visit-summary = Visit summary
record-estimate = Estimate
record-invoice = Invoice
record-payment = Payment
record-conversation = Conversation
record-stock-lot = Stock lot
record-controlled-drug-ledger = Controlled drug ledger
record-consent = Consent form
record-certificate = Certificate

## Late work

late-work = Handed in
late-work-why = What people wrote before their rights ended, for you to decide about.
late-work-what = Written by people who may not write it any more, and handed in by their devices. Nothing of it is in a record yet. Take it over, and it is done as your own work, with the time at which it was written; or discard it with a reason.
no-late-work = Nothing was handed in
no-late-work-why = When somebody leaves, what they had not sent yet comes here.
only-administrators-decide = The clinic’s administrator decides about what was handed in.
entries-count = { $count ->
    [one] 1 entry
   *[other] { $count } entries
}
take-over = Take over
take-over-all = Take over all
late-not-your-role = Your role may not write this. Copy it for a colleague who may, and discard it here once they have done it.
late-some-stay = Not all of it could be taken over. Take over what is left one by one to see why.
let-go-late-title = Discard what was handed in?
let-go-late-what = It is not done, and leaves this list for good. The clinic keeps your name and the reason.
late-work-goes-on = There is more. It appears here once these are decided.
left-clinic = { $name } no longer belongs to { $clinic }
left-a-clinic = { $name } no longer belongs to the clinic
left-handed-in = { $count ->
    [one] 1 entry that was not sent yet was handed to the clinic’s administrator at { $at }.
   *[other] { $count } entries that were not sent yet were handed to the clinic’s administrator at { $at }.
}
handed-in-by = handed in by { $name }, because its author has left
left-records-gone = The clinic’s records are gone from this device.
left-records-stay = The clinic’s records stay for the colleagues who work on this device.
two-said = { $first } { $second }

## Me

role-at = { $role } at { $clinic }
how-it-looks = How it looks
theme = Theme
theme-light = Light
theme-dark = Dark
theme-system = System
this-device = This device
leaving = Leaving
sign-out = Sign out
sign-out-all-sent = Everything that you wrote here is at the clinic.
sign-out-refused = { $count ->
    [one] 1 change that the clinic did not take stays on this device, for you or for a colleague who signs in here.
   *[other] { $count } changes that the clinic did not take stay on this device, for you or for a colleague who signs in here.
}
sign-out-work-waits = { $count ->
    [one] 1 change has not reached the clinic. It stays on this device and is sent when you or a colleague signs in here.
   *[other] { $count } changes have not reached the clinic. They stay on this device and are sent when you or a colleague signs in here.
}
sign-out-question = Sign out with work waiting?
sign-out-anyway = Sign out anyway
stay-signed-in = Stay signed in

## Owner’s home

my-pets = My pets
good-morning = Good morning, { $name }
good-afternoon = Good afternoon, { $name }
good-evening = Good evening, { $name }
no-pets-yet = No pets here yet
no-pets-yet-why = Ask the clinic to link your animals to you.
call-clinic = Call the clinic
open-today = Open today { $opens }–{ $closes }
open-today-with-pause = Open today { $opens }–{ $from } and { $to }–{ $closes }
closed-today = Closed today

## No page

nothing-here = There is nothing at this address
nothing-here-why = The link may be old, or the animal may belong to another clinic.

## Gallery

gallery = Parts
gallery-buttons = Buttons
gallery-pills = Pills and chips
gallery-connection = Connection
gallery-fields = Fields
gallery-tabs = Tabs and table
gallery-alerts = Alerts
gallery-banners = Across the page
gallery-marks = Animals and people
gallery-menu = Menu
gallery-over = Over the page
gallery-long-work = Long work
gallery-roles = Roles and passwords
gallery-clinic-says = What the clinic’s server says
gallery-two-values = Two values
gallery-empty = Nothing there
gallery-toast = A passing word
gallery-dialog = A dialog

## The trail: who did what

trail = Who did what
trail-why = Every change of a record, every sign-in, and whatever else matters, with its device and time.
trail-here = Who did what here
trail-only-administrators = The clinic’s administrator sees who did what.
trail-export = Export
trail-export-what = Save what is listed as a table
trail-exporting = { $count ->
    [one] 1 line fetched so far
   *[other] { $lines } lines fetched so far
}
trail-export-stop = Stop
trail-exported = { $count ->
    [one] 1 line is saved in your downloads
   *[other] { $lines } lines are saved in your downloads
}
trail-export-nothing = There is nothing to export
trail-export-not-saved = The file could not be saved. Is the disk full?
trail-export-no-names = The records on this device do not answer, so names are missing.
trail-export-failed = The export has stopped. Nothing is saved yet.
trail-export-slowed = { $lines } fetched so far; the clinic asks for a short break
trail-export-on = Go on
trail-file-name = who-did-what
trail-print = Print this list
trail-printed = printed { $when } by { $by }
trail-printed-old = As of { $at }: the clinic could not be asked for anything newer.
trail-printed-earlier = There are earlier lines than those printed here.
trail-times-are = Times say when the clinic’s server took it. What was done without a connection was done earlier.
trail-filter = Show only
trail-anybody = Anybody
trail-everything = Everything
trail-any-time = Any time
trail-any-device = Any device
trail-label-who = Who
trail-label-what = What
trail-label-when = When
trail-label-device = Device
trail-last-week = Last 7 days
trail-last-month = Last 30 days
trail-from-to = From – to…
trail-from = From
trail-to = To
trail-from-day = from { $day }
trail-to-day = to { $day }
trail-days = { $from } – { $to }
trail-of-record = Only { $record }
trail-of-one-record = Only one record
trail-remove = Show all again: { $what }
trail-clear = Show everything
trail-others = Others
trail-group-people-and-animals = Clients and patients
trail-group-appointments = Appointments
trail-group-visits = Visits
trail-group-settings = The clinic’s settings
trail-group-sign-ins = Sign-ins
trail-group-ways-in = Passwords and other ways in
trail-group-staff = Staff and devices
trail-group-sent = Refused and late work
trail-all-of = All: { $group }
trail-earlier = Show earlier
trail-lines-more = { $count ->
    [one] 1 more line
   *[other] { $count } more lines
}
trail-beginning = That is all: nothing earlier is kept here.
trail-nothing-then = Nothing happened in this period
trail-nothing-then-do = Choose a longer one, or look at everything.
trail-backwards = The first day is after the last
trail-backwards-do = There is no day from { $from } to { $to }. Are the two the wrong way round?
trail-turn-round = Look from { $from } to { $to }
trail-nothing-fits = Nothing fits what you look for
trail-nothing-fits-do = Take one of the choices above away.
trail-nothing = Nothing has happened yet
trail-nothing-text = What people do at the clinic is listed here, the latest first.
trail-more-of = More about { $time }: { $what }
trail-only-person = Only { $name }
trail-only-this = Only this kind: { $what }
trail-only-device = Only this device: { $device }
trail-only-record = Only { $record }
trail-open = Open { $record }
trail-between = { $count ->
    [one] once between { $from } and { $to }
   *[other] { $count } times between { $from } and { $to }
}
trail-times = { $count ->
    [one] once
   *[other] { $count } times
}
trail-device-of = { $device } · { $people }
trail-animal-of = { $name } ({ $owner })
trail-on = on { $device }
trail-on-unknown = on a device that nobody has signed in on
trail-on-server = at the server itself
trail-nobody-known = Somebody who is no longer known
trail-operator = Whoever runs the server
trail-unnamed-device = a device without a name
trail-a-device = a device
trail-a-client = a client
trail-a-patient = a patient
trail-a-record = a record
trail-the-clinic = the clinic
trail-client-notes = notes about a client
trail-a-summary = a visit summary
trail-an-estimate = an estimate
trail-an-invoice = an invoice
trail-a-payment = a payment
trail-a-conversation = a conversation
trail-a-stock-lot = a stock lot
trail-a-ledger = the controlled drug ledger
trail-a-consent = a consent form
trail-a-certificate = a certificate
changed-look = What changed
changed-look-at = What changed: { $what }
changed-before = Before:
changed-after = After:
changed-nothing = nothing
changed-made-at = Done at { $made }, by the clock of the device.
changed-made-between = Done between { $from } and { $to }, by the clock of the device.
changed-nothing-more = It says no more than the line above.
changed-without-words = { $count ->
    [one] One more field was changed that this version has no words for.
   *[other] { $count } more fields were changed that this version has no words for.
}
changed-not-all = { $count ->
    [one] What it did cannot be told any more.
   *[other] Of { $count } changes the last { $told } are told here.
}
field-yes = yes
field-no = no
field-taken-back = Taken back
field-taken-back-because = Taken back because
field-bookable = Can be booked
field-active = In use
field-alert = Alert
field-alert-text = What it says
field-cancelled = Cancelled
field-cancelled-because = Cancelled because
field-arrived = Arrived
field-in-room = In the room
field-departed = Left
trail-csv-time = Time
trail-csv-until = Until
trail-csv-offset = UTC offset
trail-csv-changes = Changes
trail-csv-person = Person
trail-csv-what = What happened
trail-csv-record = Record
trail-csv-kind = Kind of record
trail-csv-device = Device
trail-csv-way = How
trail-csv-person-id = Person’s number
trail-csv-device-id = Device’s number
trail-csv-record-id = Record’s number
trail-csv-verb = Word
trail-csv-change = Change

## What people did to records. $record is a name ("Rex") or what it is ("a patient").

trail-registered = { $who } registered { $record }
trail-edited = { $who } changed the details of { $record }
trail-weight = { $who } recorded the weight of { $record }
trail-weight-retracted = { $who } took back a weight of { $record }
trail-alert = { $who } recorded an alert for { $record }
trail-alert-retracted = { $who } took back an alert for { $record }
trail-death = { $who } recorded the death of { $record }
trail-death-retracted = { $who } took back the death of { $record }
trail-booked = { $who } booked an appointment for { $record }
trail-moved = { $who } moved the appointment of { $record }
trail-cancelled = { $who } cancelled the appointment of { $record }
trail-reinstated = { $who } booked the cancelled appointment of { $record } again
trail-checked-in = { $who } checked in { $record }
trail-check-in-undone = { $who } took back the check-in of { $record }
trail-checked-out = { $who } checked out { $record }
trail-check-out-undone = { $who } took back the check-out of { $record }
trail-visit-started = { $who } started the visit of { $record }
trail-vitals = { $who } recorded vital signs of { $record }
trail-notes = { $who } wrote in the visit notes of { $record }
trail-visit-finished = { $who } finished the visit of { $record }
trail-visit-reopened = { $who } opened the visit of { $record } again
trail-chosen = { $who } chose one of two values for { $record }
trail-profile = { $who } changed the clinic’s name and contact
trail-room = { $who } changed the clinic’s rooms
trail-directory = { $who } changed the list of staff
trail-appointment-types = { $who } changed the types of appointments
trail-other-change = { $who } changed { $record }

## What else happened.

trail-signed-in = { $who } signed in
trail-sign-in-refused = A sign-in as { $who } was refused
trail-reused = A sign-in of { $who } was ended, because two devices used it
trail-signed-out = { $who } signed out
trail-password = The password of { $who } was changed
trail-address-asked = { $who } asked for another email address
trail-address-taken-back = { $who } left the email address as it was
trail-address = { $who } confirmed an email address
trail-roles = { $count ->
    [one] { $who } set the role of { $whom }: { $roles }
   *[other] { $who } set the roles of { $whom }: { $roles }
}
trail-unknown-role = a role that this version does not know
trail-membership-ended = { $who } ended the membership of { $whom }
trail-device-out = { $who } signed out on { $device }
trail-device-out-of = { $who } signed { $whom } out on { $device }
trail-device-found = { $who } found { $device } again
trail-device-found-of = { $who } noted that { $device } of { $whom } was found again
trail-device-lost = { $who } reported { $device } as lost
trail-device-lost-of = { $who } reported { $device } of { $whom } as lost
trail-key = { $who } began to work on a new device
trail-refused = { $count ->
    [one] A change of { $record } by { $who } was refused
   *[other] { $count } changes of { $record } by { $who } were refused
}
trail-linked = { $who } linked a sign-in provider
trail-unlinked = A sign-in provider of { $who } was unlinked
trail-second = { $who } set up a second step for signing in
trail-second-removed = { $who } took away a second step of their own
trail-second-removed-of = { $who } took away the second steps of { $whom }
trail-second-refused = A second step of signing in as { $who } was refused
trail-recovery = { $who } used a recovery code
trail-recovery-renewed = { $who } made new recovery codes
trail-rules-on = { $who } asks all staff for a second step when they sign in
trail-rules-off = { $who } no longer asks all staff for a second step when they sign in
trail-erased = { $who } erased a person: what was told of them is gone
trail-read = { $who } read { $record } with another program
trail-change-read = { $who } looked at what was changed in { $record }
trail-taken-along = { $who } exported who did what
trail-late-read = { $who } looked at late work
trail-handed-in = { $who } handed in late work on { $record }
trail-handed-in-of = { $who } handed in late work of { $whom } on { $record }
trail-taken = { $who } took over late work of { $whom } on { $record }
trail-let-go = { $who } discarded late work of { $whom } on { $record }
trail-other = { $who } did something that this version has no words for

## How somebody came in.

trail-by-password = with the password
trail-by-provider = with a sign-in provider
trail-by-invitation = with an invitation
trail-by-invitation-and-provider = with an invitation and a sign-in provider
trail-by-passkey = with a passkey
trail-and-code = { $way } and a code
trail-and-recovery-code = { $way } and a recovery code
trail-and-passkey = { $way } and a passkey

## Why work was refused.

trail-because-role = not permitted to them
trail-because-unreadable = not readable
trail-because-missing = what it builds on is missing
trail-because-copied = the device’s records were copied
trail-because-other-clinic = it belongs to another clinic
trail-because-large = too large
trail-because-builds = it builds on refused work
trail-because-newer = written by a newer version
trail-because-unsigned = its author’s signature is missing

## Kinds of lines, to choose from.

trail-kind-register-client = Client registered
trail-kind-edit-client = Client’s details changed
trail-kind-register-patient = Patient registered
trail-kind-edit-patient = Patient’s details changed
trail-kind-weight = Weight recorded
trail-kind-weight-retracted = Weight taken back
trail-kind-alert = Alert recorded
trail-kind-alert-retracted = Alert taken back
trail-kind-death = Death recorded
trail-kind-death-retracted = Death taken back
trail-kind-booked = Appointment booked
trail-kind-moved = Appointment moved
trail-kind-cancelled = Appointment cancelled
trail-kind-reinstated = Appointment booked again
trail-kind-checked-in = Checked in
trail-kind-check-in-undone = Check-in taken back
trail-kind-checked-out = Checked out
trail-kind-check-out-undone = Check-out taken back
trail-kind-visit-started = Visit started
trail-kind-vitals = Vital signs recorded
trail-kind-notes = Notes written
trail-kind-visit-finished = Visit finished
trail-kind-visit-reopened = Visit opened again
trail-kind-chosen = Value chosen
trail-kind-profile = Clinic’s name and contact changed
trail-kind-room = Rooms changed
trail-kind-directory = List of staff changed
trail-kind-appointment-types = Types of appointments changed
trail-kind-signed-in = Signed in
trail-kind-sign-in-refused = Sign-in refused
trail-kind-reused = Sign-in ended, as two devices used it
trail-kind-signed-out = Signed out
trail-kind-password = Password changed
trail-kind-address-asked = Another email address asked for
trail-kind-address-taken-back = Email address left as it was
trail-kind-address = Email address confirmed
trail-kind-roles = Roles changed
trail-kind-device-out = Device signed out
trail-kind-device-found = Device found again
trail-kind-device-lost = Device reported as lost
trail-kind-key = New device
trail-kind-refused = Work refused
trail-kind-linked = Sign-in provider linked
trail-kind-unlinked = Sign-in provider unlinked
trail-kind-second = Second step set up
trail-kind-second-removed = Second step taken away
trail-kind-second-refused = Second step refused
trail-kind-recovery = Recovery code used
trail-kind-recovery-renewed = Recovery codes made anew
trail-kind-rules = Rule for signing in changed
trail-kind-erased = Person erased
trail-kind-read = Record read with another program
trail-kind-change-read = Changes looked at
trail-kind-taken-along = Who did what, exported
trail-kind-late-read = Late work looked at
trail-kind-handed-in = Late work handed in
trail-kind-taken = Late work taken over
trail-kind-let-go = Late work discarded
