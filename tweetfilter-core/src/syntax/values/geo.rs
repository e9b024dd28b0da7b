//! Points, radii and boxes.

use super::number::decimal;
use crate::post::Point;
use crate::syntax::{Atom, DistanceUnit};

/// `lon lat 25mi`; the error says what is wrong.
pub(in crate::syntax) fn point_radius(inner: &str) -> Result<Atom, &'static str> {
    let parts: Vec<&str> = inner.split_whitespace().collect();
    let [lon, lat, radius] = parts[..] else {
        return Err("three values are needed: longitude, latitude, radius");
    };
    let center = point(lon, lat)?;
    let lower = radius.to_ascii_lowercase();
    let (number, unit) = match (lower.strip_suffix("mi"), lower.strip_suffix("km")) {
        (Some(number), _) => (number, DistanceUnit::Mi),
        (_, Some(number)) => (number, DistanceUnit::Km),
        _ => return Err("the radius needs its unit, mi or km, without a space"),
    };
    let radius = decimal(number).filter(|r| *r > 0.0).ok_or("the radius is not a number above 0")?;
    Ok(Atom::PointRadius { center, radius, unit })
}

/// `west south east north`; the error says what is wrong.
pub(in crate::syntax) fn bounding_box(inner: &str) -> Result<Atom, &'static str> {
    let parts: Vec<&str> = inner.split_whitespace().collect();
    let [west, south, east, north] = parts[..] else {
        return Err("four values are needed: west, south, east, north");
    };
    let (south_west, north_east) = (point(west, south)?, point(east, north)?);
    if south_west.lat > north_east.lat {
        return Err("the south is north of the north");
    }
    Ok(Atom::BoundingBox { south_west, north_east })
}

fn point(lon: &str, lat: &str) -> Result<Point, &'static str> {
    let lon =
        signed(lon).filter(|n| n.abs() <= 180.0).ok_or("longitude, which comes first, is −180 to 180")?;
    let lat = signed(lat).filter(|n| n.abs() <= 90.0).ok_or("latitude, which comes second, is −90 to 90")?;
    Ok(Point { lon, lat })
}

fn signed(text: &str) -> Option<f64> {
    match text.strip_prefix('-') {
        // Minus zero prints as it was typed but is not worth a difference.
        Some(rest) => decimal(rest).map(|n| if n == 0.0 { n } else { -n }),
        None => decimal(text.strip_prefix('+').unwrap_or(text)),
    }
}
