//! Why animals come, and what is written about it. Texts are composed from these sentences, with the animal's name.
//! They make a demonstration read like a clinic's records; they are no clinical advice.

use crate::dice::Dice;
use shared_model::documents::Sex;
use shared_model::documents::Species::{self, *};
use shared_model::documents::Tone;

/// What is booked. The order is that of the clinic's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Consultation,
    Vaccination,
    NurseClinic,
    Recheck,
    Emergency,
    Surgery,
    Dental,
    Farewell,
}

impl Type {
    pub(crate) const ALL: [Self; 8] = [
        Self::Consultation,
        Self::Vaccination,
        Self::NurseClinic,
        Self::Recheck,
        Self::Emergency,
        Self::Surgery,
        Self::Dental,
        Self::Farewell,
    ];

    /// Name, minutes and colour on the day view.
    pub(crate) fn row(self) -> (&'static str, u16, Tone) {
        match self {
            Self::Consultation => ("Consultation", 30, Tone::Teal),
            Self::Vaccination => ("Vaccination", 20, Tone::Blue),
            Self::NurseClinic => ("Nurse clinic", 20, Tone::Green),
            Self::Recheck => ("Recheck", 20, Tone::Teal),
            Self::Emergency => ("Emergency", 30, Tone::Red),
            Self::Surgery => ("Surgery", 90, Tone::Violet),
            Self::Dental => ("Dental", 60, Tone::Violet),
            Self::Farewell => ("Farewell", 60, Tone::Violet),
        }
    }

    pub(crate) fn minutes(self) -> u16 {
        self.row().1
    }

    pub(crate) fn in_surgery(self) -> bool {
        matches!(self, Self::Surgery | Self::Dental)
    }
}

#[derive(Debug)]
pub(crate) struct Reason {
    pub(crate) kind: Type,
    /// As the desk typed it.
    pub(crate) asked: &'static [&'static str],
    /// Empty for any.
    species: &'static [Species],
    /// Youngest and oldest age, years.
    ages: (f64, f64),
    /// How often among what brings an animal unplanned; 0 for what is planned.
    share: u32,
    /// Most days between booking and visit.
    pub(crate) lead: i64,
    pub(crate) fever: bool,
    /// What a recheck is of; empty where none is needed.
    pub(crate) problem: &'static str,
    history: &'static [&'static str],
    examination: &'static [&'static str],
    assessment: &'static [&'static str],
    plan: &'static [&'static str],
}

const ANY: &[Species] = &[];
const PAIR: &[Species] = &[Dog, Cat];
const SMALL: &[Species] = &[Rabbit, GuineaPig, Rodent];
const ALL_AGES: (f64, f64) = (0.0, 99.0);

pub(crate) const FIRST_VACCINATION: Reason = Reason {
    kind: Type::Vaccination,
    asked: &["First vaccination", "First vaccination and health check"],
    species: ANY,
    ages: (0.0, 1.0),
    share: 0,
    lead: 10,
    fever: false,
    problem: "",
    history: &[
        "{Name} came home two weeks ago, eats well and is bright. No coughing, stools formed. Wormed by the breeder.",
        "New in the family. Curious, playful, good appetite. Sleeps through the night since yesterday.",
    ],
    examination: &[
        "Bright and alert. Heart and lungs clear, abdomen soft, no hernia. Eyes and ears clean. Milk teeth regular.",
        "Good condition, lively. Mucous membranes pink. No murmur heard. Skin and coat without parasites.",
    ],
    assessment: &[
        "Healthy youngster, fit for vaccination.",
        "Fit for vaccination. Growth as expected.",
    ],
    plan: &[
        "First dose given under the skin, no reaction within 15 minutes. Second dose in four weeks. Wormer to go home.",
        "Vaccinated. Talked about feeding, socialisation and insurance. Second dose in four weeks.",
    ],
};

pub(crate) const SECOND_VACCINATION: Reason = Reason {
    kind: Type::Vaccination,
    asked: &["Second vaccination"],
    species: ANY,
    ages: (0.0, 1.5),
    share: 0,
    lead: 28,
    fever: false,
    problem: "",
    history: &[
        "Well since the first dose, a little sleepy that evening. Eats and plays.",
        "No trouble after the first vaccination. Growing fast, {they} chews everything.",
    ],
    examination: &[
        "Bright, well grown. Heart and lungs clear. Abdomen soft. Both ears clean.",
        "In good condition. No findings on the full examination.",
    ],
    assessment: &["Healthy, fit for the second dose."],
    plan: &[
        "Second dose given. Microchip read and correct. Next vaccination in one year.",
        "Vaccinated, no reaction. Monthly parasite cover explained. Talked about neutering at the right age.",
    ],
};

pub(crate) const YEARLY_VACCINATION: Reason = Reason {
    kind: Type::Vaccination,
    asked: &["Annual vaccination", "Yearly check and booster", "Booster"],
    species: &[Dog, Cat, Ferret],
    ages: (0.8, 99.0),
    share: 0,
    lead: 21,
    fever: false,
    problem: "",
    history: &[
        "No concerns at home. Appetite and thirst as usual. Parasite cover up to date.",
        "{Name} is well. Owner asks about the right amount of food.",
        "Doing fine, a little slower on stairs in cold weather. Eats and drinks normally.",
        "Well since the last visit. Goes out every day. One tick removed at home this month.",
    ],
    examination: &[
        "Bright and alert. Heart and lungs clear, abdomen soft and not painful. Mild tartar on the upper premolars.",
        "Full examination without findings. Coat shiny, ears clean, lymph nodes not enlarged.",
        "Good condition. Teeth: tartar grade 1. Heart regular, pulses strong. Joints move freely.",
    ],
    assessment: &[
        "Healthy, fit for vaccination.",
        "Healthy. Beginning tartar; no treatment needed yet.",
        "In good health. Body condition a little above ideal.",
    ],
    plan: &[
        "Booster given, no reaction. Next in one year. Parasite cover for six months to go home.",
        "Vaccinated. Tooth brushing shown; dental chews advised. See again in a year.",
        "Booster given. Food down by a tenth and a weight check with the nurse in two months.",
    ],
};

pub(crate) const RABBIT_VACCINATION: Reason = Reason {
    kind: Type::Vaccination,
    asked: &["Annual vaccination", "Booster"],
    species: &[Rabbit],
    ages: (0.1, 99.0),
    share: 0,
    lead: 21,
    fever: false,
    problem: "",
    history: &[
        "Well, eats hay and greens, droppings normal. Lives indoors with a partner.",
        "No concerns. Runs free in the garden during the day, in the hutch at night.",
    ],
    examination: &[
        "Bright. Incisors and cheek teeth regular, gut sounds normal, heart and lungs clear. Nails trimmed.",
        "Good condition, coat dense, hocks without sores. Cheek teeth checked, no spurs.",
    ],
    assessment: &["Healthy, fit for vaccination."],
    plan: &[
        "Vaccinated against myxomatosis and both forms of RHD. Next in one year.",
        "Booster given, no reaction. More hay, fewer pellets. Next in one year.",
    ],
};

pub(crate) const NEUTERING: Reason = Reason {
    kind: Type::Surgery,
    asked: &["Neutering", "Neutering, fasted from midnight"],
    species: &[Dog, Cat, Rabbit, Ferret],
    ages: (0.4, 3.0),
    share: 0,
    lead: 28,
    fever: false,
    problem: "wound after neutering",
    history: &[
        "Well, fasted since last night. Consent form read and signed.",
        "No concerns. Last meal at 20:00.",
    ],
    examination: &["Fit for anaesthesia: heart and lungs clear, good pulses, well hydrated."],
    assessment: &["Healthy, elective neutering."],
    plan: &[
        "Routine surgery without complications. Smooth recovery. Pain relief for three days, collar for ten, recheck.",
        "Surgery and anaesthesia uneventful. Wound closed with absorbable sutures. Home in the afternoon.",
    ],
};

pub(crate) const RECHECK: Reason = Reason {
    kind: Type::Recheck,
    asked: &["Recheck: {problem}"],
    species: ANY,
    ages: ALL_AGES,
    share: 0,
    lead: 12,
    fever: false,
    problem: "",
    history: &[
        "Much better at home. Medicine given as told, the last dose this morning.",
        "Improving since the last visit. {They} missed two doses over the weekend.",
        "Better, though not quite as before. Appetite good.",
    ],
    examination: &[
        "{Problem}: clearly improved. Otherwise bright, no new findings.",
        "{Problem}: healing well, no swelling, not painful to touch.",
    ],
    assessment: &["{Problem}, recovering as expected.", "{Problem}, resolved."],
    plan: &[
        "Finish the course. No further visit needed unless it comes back.",
        "Medicine may stop today. Call us if anything changes.",
        "Continue for five more days, then stop. Telephone update next week.",
    ],
};

pub(crate) const FAREWELL: Reason = Reason {
    kind: Type::Farewell,
    asked: &["Farewell appointment", "Quality of life, farewell"],
    species: ANY,
    ages: ALL_AGES,
    share: 0,
    lead: 2,
    fever: false,
    problem: "",
    history: &[
        "Weaker over the last weeks, eats little, no longer comes to greet anybody. The family has talked about it at length.",
        "The good days have become few. {Name} no longer gets up on {their} own.",
    ],
    examination: &["Quiet, weak, thin. Comfortable on {their} own blanket."],
    assessment: &["Poor quality of life without prospect of recovery."],
    plan: &[
        "Agreed with the owner and carried out peacefully, the family with {them}. Individual cremation. Card sent.",
        "Peaceful, at the owner's wish and in their arms. Paw print taken. Ashes to be returned.",
    ],
};

/// What Rex waits for.
pub(crate) const VOMITING_SINCE_LAST_NIGHT: &str = "Vomiting since last night";

/// What a nurse does alone; the veterinarian reads the notes and finishes the visit.
const fn nurse_clinic(
    asked: &'static [&'static str],
    species: &'static [Species],
    ages: (f64, f64),
    share: u32,
    history: &'static [&'static str],
) -> Reason {
    Reason {
        kind: Type::NurseClinic,
        asked,
        species,
        ages,
        share,
        lead: 10,
        fever: false,
        problem: "",
        history,
        examination: &[],
        assessment: &[],
        plan: &["Seen by the nurse, notes read. Nothing further needed."],
    }
}

/// Everything that is not planned a year ahead.
pub(crate) const REASONS: &[Reason] = &[
    Reason {
        kind: Type::Consultation,
        asked: &["Vomiting", "Vomiting since yesterday", "Vomited three times"],
        species: PAIR,
        ages: ALL_AGES,
        share: 10,
        lead: 1,
        fever: false,
        problem: "gastritis",
        history: &[
            "Vomited {count} times since yesterday, first food, then foam. Still drinks. Stole something from the kitchen table.",
            "Vomiting for {count} days, mostly in the morning. Quieter than usual. No diarrhoea. No access to poisons.",
        ],
        examination: &[
            "Bright, mildly dehydrated. Abdomen tense in front, no mass felt. Mouth without foreign body.",
            "Quiet. Abdomen soft, slightly uncomfortable on deep palpation. Gut sounds increased.",
        ],
        assessment: &[
            "Acute gastritis, probably dietary. No sign of obstruction.",
            "Acute gastritis.",
        ],
        plan: &[
            "Anti-emetic by injection. Fast for 12 hours, then small bland meals. Back at once if vomiting goes on.",
            "Fluids under the skin, anti-emetic, bland diet for three days. Radiographs if not better tomorrow.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Diarrhoea", "Diarrhoea for two days", "Soft stools, some blood"],
        species: PAIR,
        ages: ALL_AGES,
        share: 8,
        lead: 2,
        fever: false,
        problem: "colitis",
        history: &[
            "Soft stools for {count} days, several times a day, some mucus. Eats well. New food since last week.",
            "Diarrhoea since {count} days. Bright otherwise. Wormed four months ago.",
        ],
        examination: &[
            "Bright, hydrated. Abdomen soft, fluid-filled gut loops, not painful. Rectal: mucus, no blood.",
            "Alert. Mild discomfort of the abdomen. Temperature normal.",
        ],
        assessment: &[
            "Acute colitis, probably after the change of food.",
            "Acute large bowel diarrhoea.",
        ],
        plan: &[
            "Gut diet and probiotic paste for five days. Stool sample if no better. Change foods slowly next time.",
            "Bland meals, probiotic, wormer today. Call on Friday with an update.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Scratching ear", "Ear smells", "Shaking head"],
        species: PAIR,
        ages: ALL_AGES,
        share: 9,
        lead: 4,
        fever: false,
        problem: "ear infection",
        history: &[
            "Scratches the right ear for {count} days and shakes {their} head.",
            "Ear smells and is red since last week. Second time this year.",
        ],
        examination: &[
            "Right canal red with brown discharge, drum intact. Cytology: yeast, few cocci. Left ear clean.",
            "Both canals inflamed, waxy discharge. Painful to touch. Drums seen and intact.",
        ],
        assessment: &[
            "Otitis externa, yeast.",
            "Otitis externa on both sides; an allergy behind it is possible.",
        ],
        plan: &[
            "Ear cleaned. Ear drops once daily for seven days, cleaner twice a week. Recheck in ten days.",
            "Drops for ten days. If it returns, food trial. Owner shown how to clean.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Limping on left hind", "Limping", "Lame after a walk"],
        species: &[Dog, Cat],
        ages: (0.4, 99.0),
        share: 9,
        lead: 3,
        fever: false,
        problem: "lameness",
        history: &[
            "Limps on the left hind leg for {count} days, worse after rest. No accident seen.",
            "Came home lame. Puts weight on it again but tires quickly.",
        ],
        examination: &[
            "Lame 2 of 5 on the left hind. Stifle slightly thick, drawer test negative. Hips free of pain.",
            "Mild lameness in trot. Pain on extending the hip. Nails and pads without injury.",
        ],
        assessment: &[
            "Soft tissue strain.",
            "Lameness, early arthritis of the hip likely.",
        ],
        plan: &[
            "Rest on the lead for two weeks, pain relief with food for seven days. Radiographs if still lame.",
            "Pain relief for ten days, weight reduction, joint supplement. Radiographs offered, owner thinks about it.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Itchy skin", "Itching, hair loss", "Licks paws"],
        species: PAIR,
        ages: ALL_AGES,
        share: 8,
        lead: 7,
        fever: false,
        problem: "itchy skin",
        history: &[
            "Licks {their} paws and scratches for {count} weeks. Flea cover lapsed in summer.",
            "Itchy, worse in spring for the second year. Eats chicken-based food.",
        ],
        examination: &[
            "Red skin between the toes and on the belly. Flea comb: flea dirt. No mites in scrapings.",
            "Thin coat on the flanks, some scale. No fleas found. Ears slightly red.",
        ],
        assessment: &["Flea allergy dermatitis.", "Allergic dermatitis, seasonal."],
        plan: &[
            "Flea treatment for all animals of the house, shampoo weekly, anti-itch tablets for ten days.",
            "Anti-itch treatment for a month, then a food trial. Diary of itching started.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Coughing", "Cough for a week"],
        species: &[Dog],
        ages: ALL_AGES,
        share: 6,
        lead: 2,
        fever: true,
        problem: "cough",
        history: &[
            "Dry cough for {count} days, retches at the end. Was boarded last week. Eats.",
            "Coughs at night and when excited. Still goes for long walks.",
        ],
        examination: &[
            "Trachea sensitive to pressure, cough triggered. Lungs clear. Tonsils red.",
            "Harsh breathing sounds, no crackles. Heart without murmur.",
        ],
        assessment: &["Infectious tracheobronchitis.", "Bronchitis."],
        plan: &[
            "Rest, harness instead of collar, cough syrup. No contact with other dogs for two weeks.",
            "Anti-inflammatory for five days. Chest radiograph if not better in a week.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Straining in litter tray", "Blood in urine"],
        species: &[Cat],
        ages: (1.0, 99.0),
        share: 7,
        lead: 0,
        fever: false,
        problem: "cystitis",
        history: &[
            "Goes to the tray often since {count} days, small amounts, some pink. New cat in the house.",
            "Urinates beside the tray, cries. Eats less. Indoor cat on dry food.",
        ],
        examination: &[
            "Bladder small and painful, not blocked. Bright. Urine: blood, no crystals.",
            "Bladder half full, can be expressed. Mild discomfort.",
        ],
        assessment: &[
            "Idiopathic cystitis, stress likely.",
            "Lower urinary tract disease, not obstructed.",
        ],
        plan: &[
            "Pain relief for four days, wet food, one more tray. At once to us if no urine is passed.",
            "Urinary diet, water fountain, pheromone plug. Recheck urine in ten days.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Sneezing, runny eyes", "Cat flu?"],
        species: &[Cat],
        ages: ALL_AGES,
        share: 6,
        lead: 1,
        fever: true,
        problem: "cat flu",
        history: &[
            "Sneezes since {count} days, eyes run. Eats only warm food.",
            "Sneezing and quiet. Came from the shelter three weeks ago.",
        ],
        examination: &[
            "Both eyes red with clear discharge, nose runny. No mouth ulcers. Lungs clear.",
            "Febrile, conjunctivitis on the left. Hydration normal.",
        ],
        assessment: &["Upper respiratory infection.", "Cat flu, mild."],
        plan: &[
            "Eye ointment three times daily, steam, tempting food. Antibiotic only if the discharge turns yellow.",
            "Supportive care at home. Recheck if not eating for a day.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Lump on side", "Lump found", "Skin lump, please check"],
        species: &[Dog, Cat, Rodent, Ferret],
        ages: (3.0, 99.0),
        share: 5,
        lead: 7,
        fever: false,
        problem: "skin lump",
        history: &[
            "Owner found a lump on the chest {count} weeks ago. It does not bother {them}.",
            "Lump has grown slowly since spring. No licking.",
        ],
        examination: &[
            "Soft, movable mass of 2 cm under the skin of the chest. Lymph nodes normal.",
            "Firm nodule of 8 mm on the flank, hairless. No other lumps found.",
        ],
        assessment: &[
            "Lipoma by needle aspirate.",
            "Benign skin tumour likely; sample sent to the laboratory.",
        ],
        plan: &[
            "Measured and noted. Check again in three months or if it grows.",
            "Result in five days, we telephone. Removal if it disturbs.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Drinking more", "Losing weight", "Senior check"],
        species: PAIR,
        ages: (8.0, 99.0),
        share: 22,
        lead: 7,
        fever: false,
        problem: "blood results",
        history: &[
            "Drinks more for {count} weeks and has lost weight, with good appetite.",
            "Sleeps more, a little stiff in the morning. Owner would like blood checked.",
        ],
        examination: &[
            "Thinner than last year. Kidneys small and firm. Heart: soft murmur, grade 1 of 6.",
            "Muscle loss over the hips. Lens slightly cloudy. Abdomen without findings.",
        ],
        assessment: &[
            "Early chronic kidney disease suspected.",
            "Ageing with arthritis; organ values pending.",
        ],
        plan: &[
            "Blood and urine taken, blood pressure measured. Kidney diet discussed. Results tomorrow.",
            "Senior profile sent. Pain relief trial for four weeks.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Not eating", "Off food, few droppings"],
        species: SMALL,
        ages: ALL_AGES,
        share: 16,
        lead: 0,
        fever: false,
        problem: "gut stasis",
        history: &[
            "Eats little since yesterday, few small droppings. Hay is fresh, much pellet food.",
            "Sits hunched, leaves the vegetables. Partner animal is well.",
        ],
        examination: &[
            "Abdomen doughy, few gut sounds. Cheek teeth: small spurs. Hydration reduced.",
            "Quiet, mild bloating. Incisors regular.",
        ],
        assessment: &["Gut stasis, teeth involved.", "Gastrointestinal stasis."],
        plan: &[
            "Fluids, gut motility and pain relief, assisted feeding every four hours. Recheck in two days.",
            "Syringe feeding shown. Hay only for a week, fewer pellets. Teeth under sedation if it returns.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Overgrown teeth", "Dribbling"],
        species: SMALL,
        ages: (1.0, 99.0),
        share: 10,
        lead: 4,
        fever: false,
        problem: "teeth",
        history: &[
            "Chews slowly and drops food. Chin is wet.",
            "Prefers soft food for {count} weeks.",
        ],
        examination: &[
            "Spurs on the lower cheek teeth. Tongue not injured. Weight stable.",
            "Incisors too long, meet unevenly.",
        ],
        assessment: &["Dental overgrowth.", "Malocclusion of the incisors."],
        plan: &[
            "Teeth shortened, well tolerated. More hay. Check every eight weeks.",
            "Burred without sedation. Next appointment in six weeks.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["General check", "Not quite right", "Health check"],
        species: ANY,
        ages: ALL_AGES,
        share: 5,
        lead: 10,
        fever: false,
        problem: "",
        history: &[
            "Quieter than usual for {count} days, eats and drinks.",
            "New animal, first check with us.",
        ],
        examination: &[
            "Bright in the room, full examination without findings.",
            "Alert. Condition good. Skin, eyes and mouth without findings.",
        ],
        assessment: &["No abnormality found.", "Healthy at examination."],
        plan: &[
            "Watch at home, food and water measured for a week. Back if anything changes.",
            "Housing and feeding discussed, leaflet given.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Fluffed up, quiet", "Losing feathers"],
        species: &[Bird],
        ages: ALL_AGES,
        share: 30,
        lead: 1,
        fever: false,
        problem: "",
        history: &[
            "Quieter for {count} days, sits fluffed up. Diet mostly seeds.",
            "Plucks the feathers of the breast since the family was away.",
        ],
        examination: &[
            "Slightly thin. Nostrils and eyes clear, crop empty, droppings formed. Nails trimmed.",
            "Breast bare over 3 cm, skin not injured. Alert, good grip.",
        ],
        assessment: &[
            "Vitamin deficiency likely, no infection found.",
            "Feather plucking, boredom likely.",
        ],
        plan: &[
            "Vitamins for four weeks, pellets instead of seeds, weigh weekly.",
            "More hours outside the cage, branches to gnaw. Bathing daily. Call in two weeks.",
        ],
    },
    Reason {
        kind: Type::Consultation,
        asked: &["Shedding badly", "Eats little", "Husbandry advice"],
        species: &[Reptile],
        ages: ALL_AGES,
        share: 30,
        lead: 3,
        fever: false,
        problem: "",
        history: &[
            "Eats less since {count} weeks. The UV lamp is two years old.",
            "Eats less since the move. Temperature at home not measured.",
        ],
        examination: &[
            "Alert, moves strongly. Retained skin on two toes, removed in a warm bath.",
            "Slightly thin, jaw firm, eyes clear. No mites.",
        ],
        assessment: &[
            "Husbandry-related, no infection found.",
            "Beginning calcium deficiency possible.",
        ],
        plan: &[
            "New UV lamp, plan for temperature and diet given, weigh weekly.",
            "Calcium for four weeks, warm bath daily. Recheck if weight falls.",
        ],
    },
    Reason {
        kind: Type::Emergency,
        asked: &["Ate chocolate", "Ate dark chocolate an hour ago"],
        species: &[Dog],
        ages: ALL_AGES,
        share: 3,
        lead: 0,
        fever: false,
        problem: "",
        history: &["Ate about 80 g of dark chocolate an hour ago. Restless, pants."],
        examination: &[
            "Heart rate raised, otherwise normal. Abdomen soft.",
            "Bright, a little excited. No tremor.",
        ],
        assessment: &["Chocolate eaten, dose below the severe range."],
        plan: &[
            "Vomiting induced, most of it came up. Charcoal given. Watched until evening, then home.",
            "Vomiting induced. Observed for three hours, stable. Owner told what to watch for.",
        ],
    },
    Reason {
        kind: Type::Emergency,
        asked: &[
            "Bite wound",
            "Bitten, bleeding a little",
            "Fight with a neighbour's animal",
        ],
        species: PAIR,
        ages: (0.3, 99.0),
        share: 6,
        lead: 0,
        fever: true,
        problem: "wound",
        history: &[
            "Bitten by another animal this morning, cried out, bled a little.",
            "Came home with a swelling on the neck. {They} hid since yesterday.",
        ],
        examination: &[
            "Two punctures on the left shoulder, 5 mm, no pocket. Painful. Chest clear.",
            "Abscess of 3 cm at the neck, fluctuating. Febrile.",
        ],
        assessment: &["Bite wounds, superficial.", "Bite abscess."],
        plan: &[
            "Clipped, flushed, left open. Pain relief. Antibiotic by the laboratory's guide for five days.",
            "Abscess opened and flushed under sedation. Flush twice daily at home. Recheck in three days.",
        ],
    },
    Reason {
        kind: Type::Dental,
        asked: &["Dental scaling", "Dental, possible extractions"],
        species: PAIR,
        ages: (3.0, 99.0),
        share: 6,
        lead: 21,
        fever: false,
        problem: "gums after dental",
        history: &[
            "Bad breath for months, chews on one side. Fasted.",
            "Tartar noted at the booster. Fasted, well.",
        ],
        examination: &[
            "Tartar grade 3, gums red. Two loose incisors. Fit for anaesthesia.",
            "Tartar grade 2. Fracture of one premolar.",
        ],
        assessment: &[
            "Periodontal disease, stage 2.",
            "Periodontal disease with a fractured tooth.",
        ],
        plan: &[
            "Scaled and polished, radiographs taken, two teeth extracted. Soft food for a week, pain relief.",
            "Scaled and polished, no extraction. Daily brushing from next week.",
        ],
    },
    Reason {
        kind: Type::Surgery,
        asked: &["Lump removal", "Removal of skin lump"],
        species: PAIR,
        ages: (4.0, 99.0),
        share: 2,
        lead: 14,
        fever: false,
        problem: "wound after surgery",
        history: &["Lump on the flank has grown since the last measurement. Fasted."],
        examination: &["Mass of 3 cm, movable. Blood before anaesthesia without findings."],
        assessment: &["Skin mass, removal for histology."],
        plan: &["Removed with wide margins, closed in two layers. Sample sent. Sutures out in twelve days."],
    },
    nurse_clinic(
        &["Nail trim"],
        ANY,
        (0.3, 99.0),
        6,
        &[
            "All nails shortened, no bleeding. Well tolerated with treats.",
            "Nails shortened. Fidgeted on the left side, done with two pairs of hands.",
        ],
    ),
    nurse_clinic(
        &["Weight check"],
        ANY,
        (0.3, 99.0),
        5,
        &[
            "Food weighed at home for a month. Owner happy with progress. New target agreed, chart given.",
            "Weight as hoped. Feeding plan continues, next check in two months.",
        ],
    ),
    nurse_clinic(
        &["Anal glands"],
        &[Dog],
        (0.5, 99.0),
        4,
        &[
            "Glands emptied, normal content. Well tolerated.",
            "Both glands full, emptied. Content thick; more fibre advised.",
        ],
    ),
    nurse_clinic(
        &["Bandage change"],
        PAIR,
        (0.4, 99.0),
        2,
        &["Bandage changed: wound dry, toes warm, no swelling. Next change in three days."],
    ),
    nurse_clinic(
        &["Suture removal"],
        PAIR,
        (0.4, 99.0),
        3,
        &["Sutures removed, wound closed and dry. Collar may come off tomorrow."],
    ),
];

/// What somebody comes for unplanned, by species and age in years. Every species has at least the general check.
pub(crate) fn any(
    dice: &mut Dice,
    species: Species,
    age: f64,
    fits: impl Fn(&Reason) -> bool,
) -> Option<&'static Reason> {
    let suiting = REASONS.iter().filter(|reason| {
        (reason.species.is_empty() || reason.species.contains(&species))
            && (reason.ages.0..=reason.ages.1).contains(&age)
            && fits(reason)
    });
    dice.by_share(suiting, |reason| reason.share)
}

/// The yearly vaccination of a species, if it has one.
pub(crate) fn booster(species: Species) -> Option<&'static Reason> {
    [&YEARLY_VACCINATION, &RABBIT_VACCINATION]
        .into_iter()
        .find(|reason| reason.species.contains(&species))
}

/// Whom a text is about.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) name: &'a str,
    pub(crate) sex: Sex,
    pub(crate) problem: &'a str,
}

/// The four sections of a note; empty where nothing is written.
pub(crate) struct Note {
    pub(crate) history: String,
    pub(crate) examination: String,
    pub(crate) assessment: String,
    pub(crate) plan: String,
}

impl Reason {
    pub(crate) fn asked(&self, dice: &mut Dice, about: About<'_>) -> String {
        compose(dice, self.asked, about)
    }

    pub(crate) fn note(&self, dice: &mut Dice, about: About<'_>) -> Note {
        Note {
            history: compose(dice, self.history, about),
            examination: compose(dice, self.examination, about),
            assessment: compose(dice, self.assessment, about),
            plan: compose(dice, self.plan, about),
        }
    }
}

/// One of the sentences with its gaps filled.
fn compose(dice: &mut Dice, sentences: &[&'static str], about: About<'_>) -> String {
    if sentences.is_empty() {
        return String::new();
    }
    let (they, capital, them, their) = match about.sex {
        Sex::Female => ("she", "She", "her", "her"),
        Sex::Male => ("he", "He", "him", "his"),
        Sex::Unknown => ("it", "It", "it", "its"),
    };
    let mut problem = about.problem.chars();
    let capital_problem: String = problem
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(problem)
        .collect();
    dice.pick(sentences)
        .replace("{Name}", about.name)
        .replace("{they}", they)
        .replace("{They}", capital)
        .replace("{them}", them)
        .replace("{their}", their)
        .replace("{problem}", about.problem)
        .replace("{Problem}", &capital_problem)
        .replace("{count}", dice.pick(&["two", "three", "four"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Concern;

    #[test]
    fn every_gap_is_filled() {
        let mut dice = Dice::new(1, Concern::History);
        let about = About {
            name: "Žofka",
            sex: Sex::Female,
            problem: "ear infection",
        };
        let planned = [
            &FIRST_VACCINATION,
            &SECOND_VACCINATION,
            &YEARLY_VACCINATION,
            &RABBIT_VACCINATION,
            &NEUTERING,
            &RECHECK,
            &FAREWELL,
        ];
        for reason in REASONS.iter().chain(planned) {
            for sentences in [
                reason.asked,
                reason.history,
                reason.examination,
                reason.assessment,
                reason.plan,
            ] {
                for sentence in sentences {
                    let text = compose(&mut dice, &[sentence], about);
                    assert!(!text.contains(['{', '}']), "{text}");
                }
            }
        }
    }

    #[test]
    fn every_species_has_something_to_come_for() {
        let mut dice = Dice::new(1, Concern::History);
        for species in Species::ALL {
            for age in [0.1, 0.5, 3.0, 15.0] {
                assert!(
                    any(&mut dice, *species, age, |_| true).is_some(),
                    "{species:?} {age}"
                );
            }
        }
    }
}
