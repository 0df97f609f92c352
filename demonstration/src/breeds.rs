//! Breeds with what their adults weigh. Ranges are the usual spread in practice, not a standard; they only have to
//! make a weight curve that nobody doubts.

use crate::dice::Dice;
use shared_model::documents::Species::{self, *};

#[derive(Debug)]
pub(crate) struct Breed {
    pub(crate) species: Species,
    pub(crate) name: &'static str,
    /// Adults, lightest and heaviest usual.
    pub(crate) kg: (f64, f64),
    /// How old they usually get.
    pub(crate) years: f64,
    /// Months until fully grown.
    grown: f64,
    /// How many among its species; of no unit.
    share: u32,
    colours: &'static [&'static str],
}

const fn breed(
    species: Species,
    name: &'static str,
    kg: (f64, f64),
    years: f64,
    grown: f64,
    share: u32,
    colours: &'static [&'static str],
) -> Breed {
    Breed {
        species,
        name,
        kg,
        years,
        grown,
        share,
        colours,
    }
}

const RETRIEVER: &[&str] = &["Yellow", "Black", "Chocolate", "Golden", "Fox red"];
const COLLIE: &[&str] = &["Black and white", "Blue merle", "Red and white", "Tricolour"];
const SHEPHERD: &[&str] = &["Black and tan", "Sable", "Black", "Bicolour"];
const TERRIER: &[&str] = &["White and tan", "Tricolour", "Black and tan", "Wheaten"];
const SPANIEL: &[&str] = &["Golden", "Black", "Blue roan", "Liver and white"];
const SMALL_DOG: &[&str] = &["Apricot", "White", "Black", "Cream", "Red", "Silver"];
const HOUND: &[&str] = &["Tricolour", "Red", "Brown", "Black and tan", "Grey"];
const ANY_DOG: &[&str] = &[
    "Black",
    "Brindle",
    "Brown and white",
    "Tan",
    "Grey",
    "Black with white chest",
];
const ANY_CAT: &[&str] = &[
    "Brown tabby",
    "Black",
    "Ginger",
    "Tortoiseshell",
    "Grey",
    "Black and white",
    "White",
    "Calico",
    "Silver tabby",
];
const POINTED: &[&str] = &["Seal point", "Blue point", "Chocolate point", "Lilac point"];
const BLUE: &[&str] = &["Blue", "Blue", "Lilac", "Cream"];
const SMALL_FUR: &[&str] = &[
    "Agouti",
    "White",
    "Black",
    "Grey and white",
    "Fawn",
    "Chocolate",
    "Sable",
];
const FEATHERS: &[&str] = &["Green", "Blue", "Yellow", "Grey", "Pied"];
const SCALES: &[&str] = &["Wild type", "Sandy", "Hypo", "High yellow"];

pub(crate) const BREEDS: &[Breed] = &[
    breed(Dog, "Border Collie", (15.0, 21.0), 13.5, 12.0, 6, COLLIE),
    breed(Dog, "German Shepherd Dog", (26.0, 40.0), 11.0, 15.0, 8, SHEPHERD),
    breed(Dog, "Labrador Retriever", (26.0, 36.0), 12.0, 14.0, 9, RETRIEVER),
    breed(Dog, "Golden Retriever", (26.0, 34.0), 12.0, 14.0, 6, RETRIEVER),
    breed(Dog, "Dachshund", (7.0, 11.0), 13.5, 11.0, 7, HOUND),
    breed(Dog, "Miniature Dachshund", (4.0, 5.5), 14.0, 10.0, 4, HOUND),
    breed(Dog, "Jack Russell Terrier", (5.5, 8.0), 14.0, 10.0, 5, TERRIER),
    breed(
        Dog,
        "Yorkshire Terrier",
        (2.4, 3.6),
        14.0,
        9.0,
        7,
        &["Steel blue and tan"],
    ),
    breed(
        Dog,
        "West Highland White Terrier",
        (6.5, 9.5),
        13.5,
        11.0,
        2,
        &["White"],
    ),
    breed(
        Dog,
        "Bohemian Terrier",
        (6.5, 10.0),
        13.0,
        11.0,
        2,
        &["Grey-blue", "Coffee brown"],
    ),
    breed(
        Dog,
        "Bohemian Spotted Dog",
        (15.0, 20.0),
        13.0,
        12.0,
        1,
        &["Tricolour"],
    ),
    breed(
        Dog,
        "Prague Ratter",
        (1.9, 3.2),
        13.5,
        8.0,
        4,
        &["Black and tan", "Brown and tan", "Yellow"],
    ),
    breed(
        Dog,
        "Czechoslovakian Wolfdog",
        (22.0, 32.0),
        13.0,
        18.0,
        1,
        &["Silver grey", "Yellow grey"],
    ),
    breed(
        Dog,
        "Bohemian Shepherd",
        (16.0, 25.0),
        13.0,
        14.0,
        1,
        &["Black and tan"],
    ),
    breed(Dog, "Cocker Spaniel", (12.0, 15.5), 13.0, 12.0, 4, SPANIEL),
    breed(
        Dog,
        "Cavalier King Charles Spaniel",
        (6.0, 9.0),
        11.5,
        10.0,
        4,
        &["Blenheim", "Tricolour", "Ruby"],
    ),
    breed(Dog, "Beagle", (10.0, 15.0), 13.0, 12.0, 5, HOUND),
    breed(
        Dog,
        "French Bulldog",
        (9.0, 14.0),
        10.5,
        11.0,
        6,
        &["Fawn", "Brindle", "Pied"],
    ),
    breed(Dog, "Pug", (6.5, 9.5), 12.0, 11.0, 3, &["Fawn", "Black"]),
    breed(Dog, "Boxer", (25.0, 33.0), 10.5, 16.0, 2, &["Fawn", "Brindle"]),
    breed(Dog, "Rottweiler", (38.0, 52.0), 9.5, 18.0, 2, &["Black and tan"]),
    breed(
        Dog,
        "Bernese Mountain Dog",
        (38.0, 52.0),
        8.5,
        20.0,
        2,
        &["Tricolour"],
    ),
    breed(
        Dog,
        "Great Dane",
        (48.0, 70.0),
        8.0,
        22.0,
        1,
        &["Fawn", "Harlequin", "Blue"],
    ),
    breed(
        Dog,
        "Miniature Schnauzer",
        (6.0, 8.5),
        13.5,
        11.0,
        3,
        &["Salt and pepper", "Black and silver"],
    ),
    breed(
        Dog,
        "Hungarian Vizsla",
        (20.0, 29.0),
        13.0,
        14.0,
        2,
        &["Russet gold"],
    ),
    breed(
        Dog,
        "Siberian Husky",
        (17.0, 26.0),
        13.0,
        14.0,
        2,
        &["Grey and white", "Black and white"],
    ),
    breed(Dog, "Chihuahua", (1.7, 3.1), 14.5, 8.0, 5, SMALL_DOG),
    breed(Dog, "Maltese", (2.8, 4.2), 13.5, 9.0, 3, &["White"]),
    breed(Dog, "Miniature Poodle", (5.0, 7.5), 14.0, 10.0, 3, SMALL_DOG),
    breed(Dog, "Shih Tzu", (4.8, 8.0), 13.5, 10.0, 3, SMALL_DOG),
    breed(Dog, "Pomeranian", (2.0, 3.4), 13.5, 9.0, 3, SMALL_DOG),
    breed(
        Dog,
        "Staffordshire Bull Terrier",
        (12.0, 17.5),
        12.5,
        13.0,
        3,
        ANY_DOG,
    ),
    breed(Dog, "Australian Shepherd", (17.0, 29.0), 13.0, 13.0, 3, COLLIE),
    breed(Dog, "Weimaraner", (25.0, 38.0), 12.0, 16.0, 1, &["Silver grey"]),
    breed(Dog, "Greyhound", (26.0, 34.0), 11.5, 14.0, 1, HOUND),
    breed(Dog, "Mixed breed, small", (5.0, 11.0), 14.0, 10.0, 9, ANY_DOG),
    breed(Dog, "Mixed breed, medium", (12.0, 24.0), 13.0, 12.0, 12, ANY_DOG),
    breed(Dog, "Mixed breed, large", (25.0, 40.0), 11.5, 15.0, 6, ANY_DOG),
    breed(Cat, "Domestic Shorthair", (3.2, 5.6), 16.0, 11.0, 58, ANY_CAT),
    breed(Cat, "Domestic Longhair", (3.3, 5.9), 16.0, 12.0, 10, ANY_CAT),
    breed(Cat, "British Shorthair", (4.0, 7.2), 14.5, 14.0, 9, BLUE),
    breed(Cat, "Maine Coon", (4.8, 8.8), 13.5, 20.0, 6, ANY_CAT),
    breed(Cat, "Persian", (3.4, 5.6), 14.0, 13.0, 3, BLUE),
    breed(Cat, "Siamese", (2.9, 4.9), 15.5, 11.0, 2, POINTED),
    breed(Cat, "Ragdoll", (4.4, 8.2), 14.0, 18.0, 4, POINTED),
    breed(Cat, "Birman", (3.4, 5.8), 14.5, 13.0, 2, POINTED),
    breed(Cat, "Siberian", (3.9, 7.4), 14.5, 16.0, 3, ANY_CAT),
    breed(
        Cat,
        "Bengal",
        (3.7, 6.4),
        14.0,
        13.0,
        2,
        &["Brown spotted", "Snow", "Silver"],
    ),
    breed(
        Cat,
        "Sphynx",
        (3.0, 5.2),
        13.0,
        12.0,
        1,
        &["Pink", "Blue", "Black"],
    ),
    breed(Rabbit, "Dwarf Lop", (1.8, 2.5), 9.0, 7.0, 10, SMALL_FUR),
    breed(Rabbit, "Netherland Dwarf", (0.85, 1.25), 9.5, 6.0, 8, SMALL_FUR),
    breed(Rabbit, "Lionhead", (1.2, 1.8), 8.5, 6.0, 5, SMALL_FUR),
    breed(Rabbit, "Mixed breed", (1.3, 3.2), 8.5, 7.0, 8, SMALL_FUR),
    breed(GuineaPig, "Smooth-haired", (0.75, 1.15), 6.0, 6.0, 6, SMALL_FUR),
    breed(GuineaPig, "Abyssinian", (0.75, 1.15), 6.0, 6.0, 4, SMALL_FUR),
    breed(GuineaPig, "Peruvian", (0.75, 1.15), 6.0, 6.0, 2, SMALL_FUR),
    breed(Ferret, "Domestic ferret", (0.65, 1.9), 7.5, 7.0, 1, SMALL_FUR),
    breed(Rodent, "Syrian hamster", (0.11, 0.17), 2.4, 3.0, 4, SMALL_FUR),
    breed(Rodent, "Fancy rat", (0.27, 0.55), 2.8, 5.0, 4, SMALL_FUR),
    breed(Rodent, "Chinchilla", (0.45, 0.75), 13.0, 9.0, 3, SMALL_FUR),
    breed(Rodent, "Degu", (0.18, 0.27), 6.5, 5.0, 2, SMALL_FUR),
    breed(Bird, "Budgerigar", (0.03, 0.045), 8.0, 3.0, 5, FEATHERS),
    breed(Bird, "Cockatiel", (0.08, 0.115), 16.0, 5.0, 4, FEATHERS),
    breed(
        Bird,
        "African grey parrot",
        (0.38, 0.52),
        40.0,
        12.0,
        2,
        &["Grey"],
    ),
    breed(
        Reptile,
        "Hermann's tortoise",
        (0.6, 2.4),
        50.0,
        90.0,
        3,
        &["Yellow and black"],
    ),
    breed(Reptile, "Bearded dragon", (0.33, 0.52), 10.5, 16.0, 4, SCALES),
    breed(Reptile, "Leopard gecko", (0.05, 0.08), 14.0, 14.0, 2, SCALES),
    breed(
        Other,
        "African pygmy hedgehog",
        (0.32, 0.55),
        4.6,
        6.0,
        1,
        &["Salt and pepper", "Cinnamon"],
    ),
];

/// Out of a thousand animals. Horses are seen at their stables, by another practice.
const SPECIES: &[(Species, u32)] = &[
    (Dog, 520),
    (Cat, 360),
    (Rabbit, 48),
    (GuineaPig, 24),
    (Ferret, 8),
    (Rodent, 18),
    (Bird, 12),
    (Reptile, 8),
    (Other, 2),
];

pub(crate) fn any(dice: &mut Dice) -> &'static Breed {
    let species = dice
        .by_share(SPECIES.iter(), |row| row.1)
        .map_or(Dog, |row| row.0);
    dice.by_share(BREEDS.iter().filter(|breed| breed.species == species), |breed| {
        breed.share
    })
    .unwrap_or(&BREEDS[0])
}

pub(crate) fn named(name: &str) -> &'static Breed {
    BREEDS
        .iter()
        .find(|breed| breed.name == name)
        .unwrap_or(&BREEDS[0])
}

impl Breed {
    pub(crate) fn colour(&self, dice: &mut Dice) -> &'static str {
        dice.pick(self.colours)
    }

    /// Which part of its adult weight an animal has at an age: a weaned youngster about a quarter, then fast, then
    /// slower until it is grown; a little less again in the last years.
    pub(crate) fn grown_part(&self, years: f64) -> f64 {
        let x = (years * 12.0 / self.grown).clamp(0.0, 1.0);
        let grown = 0.04 + 0.96 * (0.6 * x * (2.0 - x) + 0.4 * x * x);
        let old = (years / self.years - 0.85).clamp(0.0, 0.2);
        grown * (1.0 - 0.5 * old)
    }
}
