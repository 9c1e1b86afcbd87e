//! What the shop sells, and how prices are written.

use serde::Serialize;

use crate::words::Language;

/// One thing on the shelf. `art` names its drawing in `templates/art.html`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    pub(crate) sku: &'static str,
    cents: u32,
    art: &'static str,
    name: [&'static str; 2],
    about: [&'static str; 2],
}

/// A product as a page shows it, in the visitor's language.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Shown {
    pub(crate) sku: &'static str,
    pub(crate) name: &'static str,
    about: &'static str,
    art: &'static str,
    price: String,
}

impl Product {
    pub(crate) fn named(sku: &str) -> Option<&'static Self> {
        SHELF.iter().find(|product| product.sku == sku)
    }

    pub(crate) fn times(&self, count: u32) -> u32 {
        self.cents.saturating_mul(count)
    }

    pub(crate) fn name(&self, language: Language) -> &'static str {
        self.name[language as usize]
    }

    pub(crate) fn shown(&self, language: Language) -> Shown {
        Shown {
            sku: self.sku,
            name: self.name(language),
            about: self.about[language as usize],
            art: self.art,
            price: price(self.cents, language),
        }
    }
}

/// An amount in euros, as the language writes it.
pub(crate) fn price(cents: u32, language: Language) -> String {
    let (euros, cents) = (cents / 100, cents % 100);
    match language {
        Language::English => format!("€{euros}.{cents:02}"),
        Language::German => format!("{euros},{cents:02}\u{a0}€"),
    }
}

pub(crate) const SHELF: [Product; 8] = [
    Product {
        sku: "assam",
        cents: 890,
        art: "tin-amber",
        name: ["Assam Breakfast", "Assam Frühstück"],
        about: ["Malty, dark, wide awake. 100\u{a0}g", "Malzig, dunkel, hellwach. 100\u{a0}g"],
    },
    Product {
        sku: "sencha",
        cents: 1250,
        art: "tin-green",
        name: ["Spring Sencha", "Frühlings-Sencha"],
        about: ["Steamed, grassy, a little sweet. 80\u{a0}g", "Gedämpft, grasig, etwas süß. 80\u{a0}g"],
    },
    Product {
        sku: "earl-grey",
        cents: 990,
        art: "tin-blue",
        name: ["Earl Grey", "Earl Grey"],
        about: ["Bergamot, without shouting. 100\u{a0}g", "Bergamotte, ohne zu schreien. 100\u{a0}g"],
    },
    Product {
        sku: "rooibos",
        cents: 740,
        art: "tin-red",
        name: ["Rooibos & Orange", "Rooibos & Orange"],
        about: ["For the evening: no caffeine. 120\u{a0}g", "Für den Abend: ohne Koffein. 120\u{a0}g"],
    },
    Product {
        sku: "teapot",
        cents: 4200,
        art: "teapot",
        name: ["Round teapot", "Runde Kanne"],
        about: ["Stoneware, 1.1 litres, does not drip", "Steinzeug, 1,1 Liter, tropft nicht"],
    },
    Product {
        sku: "cup",
        cents: 1450,
        art: "cup",
        name: ["Everyday cup", "Alltagstasse"],
        about: ["Fits two hands. 300\u{a0}ml", "Passt in zwei Hände. 300\u{a0}ml"],
    },
    Product {
        sku: "honey",
        cents: 680,
        art: "honey",
        name: ["Lime blossom honey", "Lindenblütenhonig"],
        about: ["From a roof nearby. 250\u{a0}g", "Von einem Dach nebenan. 250\u{a0}g"],
    },
    Product {
        sku: "biscuits",
        cents: 520,
        art: "biscuits",
        name: ["Butter biscuits", "Butterkekse"],
        about: ["Twelve, if you are quick", "Zwölf, wenn man schnell ist"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_written_as_its_language_does() {
        assert_eq!(price(1205, Language::English), "€12.05");
        assert_eq!(price(1205, Language::German), "12,05\u{a0}€");
    }

    #[test]
    fn no_sku_needs_escaping_in_a_path_of_the_session() {
        for product in &SHELF {
            assert!(
                product.sku.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{}",
                product.sku
            );
        }
    }
}
