//! Users.

use serde::de::MapAccess;
use tweetfilter_core::Part;
use tweetfilter_core::post::{Account, Author, Millis, ProfileGeo};

use super::super::fields::{Field, Fields, Scalar, Sieve, takes};
use super::super::html::Offsets;
use super::super::time;
use super::super::withheld::Withheld;
use super::entities::{Url, Urls};

/// A user object.
#[derive(Default)]
pub(in super::super) struct User<'de> {
    id_str: Scalar<'de>,
    id: Scalar<'de>,
    screen_name: String,
    name: Option<String>,
    bio: Option<String>,
    bio_urls: Vec<Url<'de>>,
    location: Option<String>,
    followers: Option<u64>,
    following: Option<u64>,
    posts: Option<u64>,
    listed: Option<u64>,
    created_at: Option<Millis>,
    verified: bool,
    protected: bool,
    profile_geo: Option<ProfileGeo>,
    pub(super) withheld: Option<Box<Withheld>>,
}

impl<'de> Fields<'de> for User<'de> {
    takes! {
        (self, key, field);
        "id_str" => self.id_str = field.scalar()?,
        "id" => self.id = field.scalar()?,
        "screen_name" => self.screen_name = field.string()?.unwrap_or_default(),
        "name" => self.name = field.string_of(Part::Name)?,
        "description" => self.bio = field.string_of(Part::Bio)?,
        "location" => self.location = field.string_of(Part::Location)?,
        "followers_count" => self.followers = field.count()?,
        "friends_count" => self.following = field.count()?,
        "statuses_count" => self.posts = field.count()?,
        "listed_count" => self.listed = field.count()?,
        "created_at" => self.created_at = field.text_of(Part::AccountTime)?.and_then(|t| time::parse(&t)),
        "verified" | "is_blue_verified" | "ext_is_blue_verified" => self.verified |= field.flag()?,
        "protected" => self.protected = field.flag()?,
        "entities" => {
            let entities = field.object::<ProfileEntities<'_>>()?.unwrap_or_default();
            self.bio_urls = entities.description.urls;
        },
        "derived" => {
            let derived = field.object::<Derived>()?.unwrap_or_default();
            self.profile_geo = derived.locations.into_iter().next().map(|location| location.0);
        },
        "withheld_in_countries" | "withheld_copyright" => {
            self.withheld.get_or_insert_default().take(key, field)?;
        },
    }
}

impl User<'_> {
    /// Who it is, without taking it.
    pub(super) fn known(&self) -> Account {
        let id = match self.id_str.clone().into_id() {
            id if id.is_empty() => self.id.clone().into_id(),
            id => id,
        };
        Account { id, handle: self.screen_name.clone() }
    }

    pub(in super::super) fn account(self) -> Account {
        let id = match self.id_str.into_id() {
            id if id.is_empty() => self.id.into_id(),
            id => id,
        };
        Account { id, handle: self.screen_name }
    }

    pub(in super::super) fn author(mut self) -> Author {
        let bio_urls = std::mem::take(&mut self.bio_urls);
        let bio_links = match &self.bio {
            Some(bio) if !bio_urls.is_empty() => {
                let offsets = Offsets::of_plain(bio);
                bio_urls.into_iter().map(|url| url.link(bio, &offsets)).collect()
            }
            _ => Vec::new(),
        };
        Author {
            name: self.name.take(),
            bio: self.bio.take(),
            bio_links,
            location: self.location.take(),
            followers: self.followers,
            following: self.following,
            posts: self.posts,
            listed: self.listed,
            created_at: self.created_at,
            verified: self.verified,
            protected: self.protected,
            bot: false,
            profile_geo: self.profile_geo.take(),
            account: self.account(),
        }
    }
}

#[derive(Default)]
struct ProfileEntities<'de> {
    description: Urls<'de>,
}

impl<'de> Fields<'de> for ProfileEntities<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "description" => self.description = field.object()?.unwrap_or_default(),
            _ => field.skip()?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct Derived {
    locations: Vec<DerivedLocation>,
}

impl<'de> Fields<'de> for Derived {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "locations" => self.locations = field.list()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct DerivedLocation(ProfileGeo);

impl<'de> Fields<'de> for DerivedLocation {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "country" => self.0.country = field.string()?,
            "country_code" => self.0.country_code = field.string()?,
            "region" => self.0.region = field.string()?,
            "locality" => self.0.locality = field.string()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}
