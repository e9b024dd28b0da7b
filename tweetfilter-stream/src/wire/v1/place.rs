//! Places and coordinates.

use serde::de::MapAccess;
use tweetfilter_core::post::{self, Point};

use super::super::fields::{Field, Fields};

/// Numbers of a geometry that are read: the box of a place has eight.
const NUMBERS: usize = 4096;

/// A tagged place.
#[derive(Default)]
pub(in super::super) struct Place(pub(in super::super) post::Place);

impl<'de> Fields<'de> for Place {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "id" => self.0.id = field.scalar()?.into_id(),
            "name" | "full_name" => {
                if let Some(name) = field.string()?
                    // A short one and a full one; a payload with more repeats its keys.
                    && self.0.names.len() < 2
                    && !self.0.names.contains(&name)
                {
                    self.0.names.push(name);
                }
            }
            "country" => self.0.country = field.string()?,
            "country_code" => self.0.country_code = field.string()?,
            "bounding_box" => {
                self.0.center = field.object::<Geometry>()?.and_then(|shape| center(&shape.coordinates));
            }
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// A GeoJSON geometry, its numbers in one flat row.
#[derive(Default)]
pub(in super::super) struct Geometry {
    pub(in super::super) coordinates: Vec<f64>,
    pub(in super::super) bbox: Vec<f64>,
}

impl<'de> Fields<'de> for Geometry {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "coordinates" => self.coordinates = numbers(field)?,
            "bbox" => self.bbox = numbers(field)?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

fn numbers<'de, A: MapAccess<'de>>(field: Field<'_, A>) -> Result<Vec<f64>, A::Error> {
    let mut numbers = Vec::new();
    field.scalars(|number| {
        if numbers.len() < NUMBERS {
            numbers.extend(number.real());
        }
    })?;
    Ok(numbers)
}

/// A point, if it lies on earth.
pub(in super::super) fn point(lon: f64, lat: f64) -> Option<Point> {
    ((-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat)).then_some(Point { lon, lat })
}

/// The center of the box around corners written as longitude, latitude, longitude, …
pub(in super::super) fn center(corners: &[f64]) -> Option<Point> {
    let (pairs, rest) = corners.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    let middle = |at: usize| {
        let low = pairs.iter().map(|pair| pair[at]).fold(f64::INFINITY, f64::min);
        let high = pairs.iter().map(|pair| pair[at]).fold(f64::NEG_INFINITY, f64::max);
        (low, high)
    };
    let ((west, east), (south, north)) = (middle(0), middle(1));
    // A box wider than half the earth is one over the date line.
    let lon = match f64::midpoint(west, east) {
        lon if east - west <= 180.0 => lon,
        lon if lon > 0.0 => lon - 180.0,
        lon => lon + 180.0,
    };
    point(lon, f64::midpoint(south, north))
}

#[cfg(test)]
mod tests {
    use super::center;

    #[test]
    fn centers() {
        let of = |corners: &[f64]| center(corners).map(|p| (p.lon, p.lat));
        assert_eq!(of(&[10.0, 50.0, 12.0, 50.0, 12.0, 54.0, 10.0, 54.0]), Some((11.0, 52.0)));
        assert_eq!(of(&[177.0, -20.0, -179.0, -18.0]), Some((179.0, -19.0)));
        assert_eq!(of(&[177.0, 91.0, 177.0, 91.0]), None);
        assert_eq!(of(&[1.0]), None);
        assert_eq!(of(&[]), None);
    }
}
