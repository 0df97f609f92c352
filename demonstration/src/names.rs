//! Names of people, animals and streets. Made up by combination; any likeness is chance.

use crate::dice::Dice;
use shared_model::documents::Species;

/// Given names belong to family names: a Czech or Polish family name has two forms.
struct Naming {
    share: u32,
    women: &'static [&'static str],
    men: &'static [&'static str],
    /// A woman's form, then a man's.
    families: &'static [(&'static str, &'static str)],
}

macro_rules! alike {
    ($($name:literal),* $(,)?) => { &[$(($name, $name)),*] };
}

const NAMINGS: &[Naming] = &[
    Naming {
        share: 40,
        women: &[
            "Petra",
            "Šárka",
            "Lenka",
            "Markéta",
            "Tereza",
            "Zdeňka",
            "Kateřina",
            "Hana",
            "Eliška",
            "Věra",
            "Jitka",
            "Monika",
            "Barbora",
            "Alžběta",
            "Ivana",
            "Renata",
            "Michaela",
            "Dagmar",
            "Růžena",
            "Klára",
        ],
        men: &[
            "Jiří",
            "Tomáš",
            "Ondřej",
            "Matěj",
            "Václav",
            "Zdeněk",
            "Lukáš",
            "Vojtěch",
            "Miroslav",
            "Radek",
            "Štěpán",
            "Bohumil",
            "Pavel",
            "Jakub",
            "Aleš",
            "Dušan",
            "Marek",
            "František",
            "Kryštof",
            "Libor",
        ],
        families: &[
            ("Nováková", "Novák"),
            ("Svobodová", "Svoboda"),
            ("Dvořáková", "Dvořák"),
            ("Černá", "Černý"),
            ("Procházková", "Procházka"),
            ("Kučerová", "Kučera"),
            ("Veselá", "Veselý"),
            ("Krejčí", "Krejčí"),
            ("Horáková", "Horák"),
            ("Němcová", "Němec"),
            ("Pokorná", "Pokorný"),
            ("Marešová", "Mareš"),
            ("Růžičková", "Růžička"),
            ("Benešová", "Beneš"),
            ("Fialová", "Fiala"),
            ("Sedláčková", "Sedláček"),
            ("Zemanová", "Zeman"),
            ("Kolářová", "Kolář"),
            ("Čermáková", "Čermák"),
            ("Urbanová", "Urban"),
            ("Vaňková", "Vaněk"),
            ("Blažková", "Blažek"),
            ("Křížová", "Kříž"),
            ("Říhová", "Říha"),
            ("Štěpánková", "Štěpánek"),
            ("Hájková", "Hájek"),
            ("Šimková", "Šimek"),
            ("Žáková", "Žák"),
        ],
    },
    Naming {
        share: 9,
        women: &[
            "Agnieszka",
            "Małgorzata",
            "Katarzyna",
            "Zofia",
            "Elżbieta",
            "Joanna",
            "Kinga",
        ],
        men: &[
            "Łukasz",
            "Paweł",
            "Michał",
            "Krzysztof",
            "Grzegorz",
            "Wojciech",
            "Stanisław",
        ],
        families: &[
            ("Zielińska", "Zieliński"),
            ("Kowalska", "Kowalski"),
            ("Wiśniewska", "Wiśniewski"),
            ("Wójcik", "Wójcik"),
            ("Dąbrowska", "Dąbrowski"),
            ("Łuczak", "Łuczak"),
            ("Gołąb", "Gołąb"),
        ],
    },
    Naming {
        share: 9,
        women: &["Oksana", "Iryna", "Nadiia", "Svitlana", "Olena", "Halyna"],
        men: &["Andriy", "Taras", "Bohdan", "Mykola", "Serhiy", "Vasyl"],
        families: alike![
            "Shevchenko",
            "Kovalenko",
            "Bondarenko",
            "Tkachenko",
            "Melnyk",
            "Hrytsenko",
            "Lysenko"
        ],
    },
    Naming {
        share: 7,
        women: &["Astrid", "Ingrid", "Solveig", "Åsa", "Freja", "Linnéa"],
        men: &["Björn", "Håkan", "Søren", "Leif", "Jørgen", "Mikael"],
        families: alike![
            "Lindqvist",
            "Ångström",
            "Sørensen",
            "Bergström",
            "Nygård",
            "Holm",
            "Östberg"
        ],
    },
    Naming {
        share: 8,
        women: &[
            "Anneliese",
            "Friederike",
            "Jutta",
            "Käthe",
            "Margarethe",
            "Ulrike",
        ],
        men: &["Jürgen", "Matthias", "Günter", "Heiko", "Rainer", "Dietmar"],
        families: alike![
            "Müller",
            "Schäfer",
            "Krüger",
            "Baumgärtner",
            "Vogel",
            "Größl",
            "Lehmann",
            "Köhler"
        ],
    },
    Naming {
        share: 8,
        women: &["Inês", "Lucía", "Beatriz", "Noémie", "Hélène", "Giulia", "Chiara"],
        men: &[
            "João",
            "Álvaro",
            "Iñigo",
            "Étienne",
            "François",
            "Matteo",
            "Gonçalo",
        ],
        families: alike![
            "Gonçalves",
            "Fernández",
            "Ibáñez",
            "Lefèvre",
            "Moreau",
            "Conti",
            "Bianchi",
            "Araújo"
        ],
    },
    Naming {
        share: 7,
        women: &[
            "Adaeze",
            "Ngozi",
            "Abena",
            "Makena",
            "Selam",
            "Zanele",
            "Aïssatou",
        ],
        men: &["Kwame", "Emeka", "Tunde", "Kamau", "Dawit", "Sipho", "Mamadou"],
        families: alike![
            "Nwosu", "Adeyemi", "Mensah", "Wanjiru", "Bekele", "Dlamini", "Diallo", "Eze"
        ],
    },
    Naming {
        share: 7,
        women: &["Thu", "Linh", "Hương", "Mai", "Ngọc"],
        men: &["Minh", "Đức", "Tuấn", "Hùng", "Quang"],
        families: alike!["Nguyễn", "Trần", "Phạm", "Lê", "Đặng", "Hoàng"],
    },
    Naming {
        share: 5,
        women: &[
            "Priya", "Ananya", "Yuki", "Haruka", "Mei", "Ji-woo", "Leyla", "Elif",
        ],
        men: &[
            "Arjun", "Rohan", "Kenji", "Haruto", "Wei", "Min-jun", "Emre", "Kerem",
        ],
        families: alike![
            "Sharma", "Patel", "Tanaka", "Sato", "Chen", "Kim", "Yılmaz", "Demir", "Iyer"
        ],
    },
];

const STREETS: &[&str] = &[
    "Lipová",
    "Zahradní",
    "Na Výsluní",
    "Krátká",
    "U Rybníka",
    "Pod Hájem",
    "Školní",
    "Polní",
    "Severní brána",
    "Javorová",
    "Nad Řekou",
    "Kaštanová",
    "Sadová",
    "K Lesu",
    "Mlýnská",
    "Jabloňová",
    "Za Humny",
    "Tyršova",
    "Březová",
    "Hvězdná",
    "Ořechová",
    "Na Kopečku",
    "Luční",
    "Růžová",
];

const TOWNS: &[&str] = &[
    "160 00 Praha 6",
    "164 00 Praha 6",
    "165 00 Praha 6",
    "180 00 Praha 8",
    "181 00 Praha 8",
    "170 00 Praha 7",
    "252 63 Roztoky",
    "252 64 Velké Přílepy",
    "253 01 Hostivice",
    "278 01 Kralupy nad Vltavou",
];

const DOGS: &[&str] = &[
    "Bella",
    "Max",
    "Luna",
    "Ben",
    "Azor",
    "Alík",
    "Bruno",
    "Charlie",
    "Daisy",
    "Rocky",
    "Maja",
    "Žolík",
    "Bára",
    "Nero",
    "Sára",
    "Punťa",
    "Ludvík",
    "Hugo",
    "Molly",
    "Fík",
    "Ajda",
    "Bobík",
    "Zuzu",
    "Oskar",
    "Rozárka",
    "Falco",
    "Kira",
    "Šedivák",
    "Milo",
    "Nela",
    "Toby",
    "Cora",
    "Ríša",
    "Endy",
    "Jessie",
    "Argo",
    "Tesla",
    "Brita",
    "Baron",
    "Pepper",
    "Čiko",
    "Elza",
    "Dona",
    "Gina",
    "Rufus",
    "Lassie",
    "Sunny",
    "Kuba",
    "Poppy",
];

const CATS: &[&str] = &[
    "Micka",
    "Macek",
    "Mourek",
    "Líza",
    "Felix",
    "Simba",
    "Nala",
    "Bublina",
    "Kocour",
    "Cleo",
    "Oliver",
    "Sněhurka",
    "Tygr",
    "Mňouk",
    "Zrzka",
    "Čiči",
    "Salem",
    "Mína",
    "Ginger",
    "Pacička",
    "Shadow",
    "Bonbón",
    "Iris",
    "Matylda",
    "Leo",
    "Perla",
    "Saša",
    "Momo",
    "Fíbí",
    "Jonáš",
    "Ebony",
    "Kiki",
    "Marsík",
    "Pixel",
    "Vločka",
    "Žanetka",
];

const SMALL: &[&str] = &[
    "Ušák",
    "Pampeliška",
    "Hnědka",
    "Oreo",
    "Fluffy",
    "Chlupáč",
    "Bobina",
    "Pusheen",
    "Karamelka",
    "Drobek",
    "Tulda",
    "Ferda",
    "Žužu",
    "Kulička",
    "Nugát",
    "Biscuit",
    "Basil",
    "Skořice",
    "Rýže",
    "Knedlík",
    "Pepík",
    "Mrkev",
];

/// Somebody's given and family name.
pub(crate) fn person(dice: &mut Dice) -> (&'static str, &'static str) {
    let naming = dice.by_share(NAMINGS.iter(), |n| n.share).unwrap_or(&NAMINGS[0]);
    let family = naming.families[dice.below(naming.families.len())];
    if dice.permille(560) {
        (dice.pick(naming.women), family.0)
    } else {
        (dice.pick(naming.men), family.1)
    }
}

pub(crate) fn address(dice: &mut Dice) -> String {
    let (street, number) = (dice.pick(STREETS), dice.between(1, 148));
    format!("{street} {number}, {}", dice.pick(TOWNS))
}

pub(crate) fn animal(dice: &mut Dice, species: Species) -> &'static str {
    dice.pick(match species {
        Species::Dog => DOGS,
        Species::Cat => CATS,
        _ => SMALL,
    })
}

/// The letters of a name as an email address has them: "Šárka Nováková" gives "sarka.novakova".
pub(crate) fn mailbox(given: &str, family: &str) -> String {
    [given, family]
        .map(|name| name.chars().filter_map(plain).collect::<String>())
        .join(".")
        .to_lowercase()
}

fn plain(letter: char) -> Option<char> {
    const ACCENTED: &[(&str, char)] = &[
        ("áàâäãåăạảấầậắặÁÀÂÄÃÅĂ", 'a'),
        ("ąĄ", 'a'),
        ("čćçČĆÇ", 'c'),
        ("ďđĐĎ", 'd'),
        ("éèêëěęẹếềễệÉÈÊËĚĘ", 'e'),
        ("ğĞ", 'g'),
        ("íìîïıÍÌÎÏİ", 'i'),
        ("łŁ", 'l'),
        ("ňńñŇŃÑ", 'n'),
        ("óòôöõøơọốồộờớÓÒÔÖÕØ", 'o'),
        ("řŘ", 'r'),
        ("šśşßŠŚŞ", 's'),
        ("ťŤ", 't'),
        ("úùûüůưụứừựÚÙÛÜŮ", 'u'),
        ("ýÝ", 'y'),
        ("žźżŽŹŻ", 'z'),
    ];
    if letter.is_ascii_alphabetic() {
        return Some(letter);
    }
    ACCENTED
        .iter()
        .find(|(letters, _)| letters.contains(letter))
        .map(|(_, plain)| *plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gives_a_mailbox_of_the_same_length() {
        for naming in NAMINGS {
            let given = naming.women.iter().chain(naming.men).copied();
            let families = naming.families.iter().flat_map(|(woman, man)| [*woman, *man]);
            for name in given.chain(families) {
                let letters = name.chars().filter(|c| *c != '-').count();
                assert_eq!(name.chars().filter_map(plain).count(), letters, "{name}");
            }
        }
        assert_eq!(mailbox("Šárka", "Nováková"), "sarka.novakova");
    }
}
