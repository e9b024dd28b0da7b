//! Places on the globe, and names of places.

use super::{Answer, Reading, words};
use crate::post::Point;
use crate::syntax::{DistanceUnit, Form, PlaceField, Shape, TextPattern};

/// Mean radius of the Earth in kilometres.
const EARTH: f64 = 6371.0088;

/// Exact coordinates, else the centre of the tagged place.
fn point(reading: &Reading<'_>) -> Option<Point> {
    reading.act.coordinates.or_else(|| reading.act.place.as_ref()?.center)
}

pub(super) fn within(center: Point, radius: f64, unit: DistanceUnit, reading: &Reading<'_>) -> Answer {
    let radius = match unit {
        DistanceUnit::Km => radius,
        DistanceUnit::Mi => radius * 1.609_344,
    };
    point(reading).is_some_and(|point| distance(center, point) <= radius).into()
}

/// Great-circle distance in kilometres, by the haversine formula.
fn distance(a: Point, b: Point) -> f64 {
    let (lat_a, lat_b) = (a.lat.to_radians(), b.lat.to_radians());
    let lat = ((b.lat - a.lat).to_radians() / 2.0).sin().powi(2);
    let lon = ((b.lon - a.lon).to_radians() / 2.0).sin().powi(2);
    2.0 * EARTH * (lat + lat_a.cos() * lat_b.cos() * lon).sqrt().min(1.0).asin()
}

pub(super) fn boxed(south_west: Point, north_east: Point, reading: &Reading<'_>) -> Answer {
    let Some(point) = point(reading) else { return Answer::False };
    let lat = south_west.lat <= point.lat && point.lat <= north_east.lat;
    let lon = if south_west.lon <= north_east.lon {
        south_west.lon <= point.lon && point.lon <= north_east.lon
    } else {
        point.lon >= south_west.lon || point.lon <= north_east.lon
    };
    (lat && lon).into()
}

pub(super) fn named(field: PlaceField, name: &str, reading: &Reading<'_>) -> bool {
    let place = reading.act.place.as_ref();
    let profile = reading.act.author.profile_geo.as_ref();
    let mut names: Vec<&str> = Vec::new();
    match field {
        PlaceField::Place => {
            // As words: an alias of the operator says that the name contains it.
            let phrase = TextPattern { text: name.to_owned(), form: Form::Folded, shape: Shape::Phrase };
            return place.is_some_and(|place| {
                let names: Vec<_> = place.names.iter().map(|name| words::Stretch::of(name, &[])).collect();
                place.id == name || words::in_any(&phrase, &names)
            });
        }
        PlaceField::Country => {
            names.extend(place.iter().filter_map(|place| place.country.as_deref()));
            names.extend(place.iter().filter_map(|place| place.country_code.as_deref()));
        }
        PlaceField::ProfileCountry => {
            names.extend(profile.iter().filter_map(|geo| geo.country.as_deref()));
            names.extend(profile.iter().filter_map(|geo| geo.country_code.as_deref()));
        }
        PlaceField::ProfileRegion => names.extend(profile.iter().filter_map(|geo| geo.region.as_deref())),
        PlaceField::ProfileLocality => names.extend(profile.iter().filter_map(|geo| geo.locality.as_deref())),
    }
    names.into_iter().any(|other| words::same_value(name, other, false))
}
