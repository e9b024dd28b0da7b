//! What payloads of X say beside the post: where it is withheld, and which versions it takes the place of.
//!
//! A mark in a payload means what the message of its own means, and so do the ids of earlier versions: these are deleted.
//! Only a message takes a mark back, since of what is not withheld a payload says nothing.

use serde::de::MapAccess;
use tweetfilter_core::post::Account;

use super::fields::Field;
use super::v1::NETWORK;
use crate::Event;

/// What X says where copyright is the reason, and no country.
const COPYRIGHT: &str = "XY";

/// Versions before a post that are told, the newest ones. X allows five edits; each is told with the author, who may have
/// a long name.
const VERSIONS: usize = 16;

/// Where a post or a user is withheld, as a payload says it.
#[derive(Clone, Debug, Default)]
pub(super) struct Withheld {
    pub(super) countries: Vec<String>,
    pub(super) copyright: bool,
    /// Whether it is the author of the post who is withheld.
    pub(super) of_author: bool,
}

impl Withheld {
    /// Takes a field of API v1.1, if it is one of these.
    pub(super) fn take<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        field: Field<'_, A>,
    ) -> Result<(), A::Error> {
        match key {
            "withheld_in_countries" => self.countries = field.ids()?,
            "withheld_copyright" => self.copyright = field.flag()?,
            "withheld_scope" => self.of_author = field.text()?.is_some_and(|scope| scope == "user"),
            _ => field.skip()?,
        }
        Ok(())
    }

    fn countries(&self) -> Vec<String> {
        let countries = self.countries.iter().filter(|country| !country.is_empty()).cloned();
        let mut countries: Vec<_> = countries.collect();
        if countries.is_empty() && self.copyright {
            countries.push(COPYRIGHT.to_owned());
        }
        countries
    }
}

/// Adds what a post's own mark says.
pub(super) fn post(found: &mut Vec<Event>, id: &str, author: &Account, mark: &Withheld) {
    let countries = mark.countries();
    if mark.of_author {
        user(found, author, mark);
    } else if !countries.is_empty() && !id.is_empty() {
        let (id, author) = (id.to_owned(), author.clone());
        found.push(Event::StatusWithheld { id, author, countries, at: None });
    }
}

/// Adds what the mark of a user says.
pub(super) fn user(found: &mut Vec<Event>, user: &Account, mark: &Withheld) {
    let countries = mark.countries();
    if !countries.is_empty() && !user.id.is_empty() {
        found.push(Event::UserWithheld { author: user.clone(), countries, at: None });
    }
}

/// Adds that the versions before a post are no more: the ids that stand before its own.
pub(super) fn versions(found: &mut Vec<Event>, id: &str, author: &Account, versions: &[String]) {
    let Some(own) = versions.iter().position(|version| version == id) else { return };
    let newest = &versions[own.saturating_sub(VERSIONS)..own];
    for before in newest.iter().filter(|before| !before.is_empty()) {
        let (id, author) = (before.clone(), author.clone());
        found.push(Event::Delete { network: NETWORK.to_owned(), id, author, at: None });
    }
}
