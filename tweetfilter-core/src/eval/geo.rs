//! Places on the globe.

use crate::post::{Point, Post};

/// Mean radius in kilometres.
const EARTH: f64 = 6371.0088;

/// Where a post was made: exact coordinates, else the centre of its place.
pub(crate) fn location(post: &Post) -> Option<Point> {
    post.coordinates.or_else(|| post.place.as_ref()?.center)
}

/// Great-circle distance in kilometres (haversine).
pub(crate) fn distance(a: Point, b: Point) -> f64 {
    let (lat_a, lat_b) = (a.lat.to_radians(), b.lat.to_radians());
    let (d_lat, d_lon) = (lat_b - lat_a, (b.lon - a.lon).to_radians());
    let h = (d_lat / 2.0).sin().powi(2) + lat_a.cos() * lat_b.cos() * (d_lon / 2.0).sin().powi(2);
    2.0 * EARTH * h.sqrt().min(1.0).asin()
}

/// Whether a point lies in a box, whose west may be east of its east: then it crosses the date line.
pub(crate) fn inside(point: Point, south_west: Point, north_east: Point) -> bool {
    let in_lat = south_west.lat <= point.lat && point.lat <= north_east.lat;
    let in_lon = if south_west.lon <= north_east.lon {
        south_west.lon <= point.lon && point.lon <= north_east.lon
    } else {
        point.lon >= south_west.lon || point.lon <= north_east.lon
    };
    in_lat && in_lon
}
