//! Operators that people know from elsewhere, and what to do instead.

/// Name, without colon, and advice as a sentence.
pub(super) static UNSUPPORTED: &[(&str, &str)] = &[
    ("bio_lang", "Profiles carry no language any more; use lang: for the language of the post"),
    ("card_domain", "Cards are not carried; use domain: for links"),
    ("card_name", "Cards are not carried; use has:polls, has:videos or domain:"),
    ("card_url", "Cards are not carried; use url: for links"),
    ("community", "Communities are not carried; use named accounts, from:a,b"),
    ("exclude", "Negate instead: -is:retweet, -is:reply"),
    ("followers_of", "Who follows whom is not carried; name the accounts, from:a,b or from:{friends}"),
    ("geocode", "Use point_radius:[longitude latitude radius], longitude first"),
    ("include", "Nothing is left out unless you negate it; drop this operator"),
    ("klout_score", "Klout has ended; use followers: or listed:"),
    ("klout_topic", "Klout has ended; use bio: or context:"),
    ("klout_topic_contains", "Klout has ended; use bio: or context:"),
    ("klout_topic_id", "Klout has ended; use bio: or context:"),
    ("list", "Lists are not carried; put the accounts into a named set and write from:{name}"),
    ("near", "Use place:\"name\" or point_radius:[longitude latitude radius]"),
    (
        "profile_bounding_box",
        "Profiles carry no coordinates; use profile_country:, profile_region: or profile_locality:",
    ),
    (
        "profile_locality_contains",
        "Use profile_locality: with the whole name, or bio_location: for a part of it",
    ),
    (
        "profile_point_radius",
        "Profiles carry no coordinates; use profile_country:, profile_region: or profile_locality:",
    ),
    ("profile_region_contains", "Use profile_region: with the whole name, or bio_location: for a part of it"),
    ("profile_subregion", "Use profile_region: or profile_locality:"),
    ("profile_subregion_contains", "Use profile_region: or profile_locality:"),
    ("retweeted_by", "A retweet is an act of its author: from:name is:retweet"),
    ("time_zone", "Profiles carry no time zone any more; use bio_location: or place_country:"),
    ("within", "Use point_radius:[longitude latitude radius]"),
    ("within_time", "There is no clock in a filter; use since: and until: with dates"),
];

/// What to do instead of an operator that is known elsewhere.
pub(super) fn of(name: &str) -> Option<&'static str> {
    UNSUPPORTED.iter().find(|entry| entry.0.eq_ignore_ascii_case(name)).map(|entry| entry.1)
}

/// What to do instead of a word of X's `filter:`.
pub(super) fn of_filter_word(word: &str) -> &'static str {
    match word.to_ascii_lowercase().as_str() {
        "follows" => "Who follows whom is not carried; name the accounts, from:{friends}",
        "social" | "trusted" => "X decides this by secret means; there is no counterpart",
        "blue_verified" => "Use is:verified",
        "consumer_video" | "pro_video" | "vine" | "periscope" | "spaces" => {
            "Use has:videos, or domain: for the site"
        }
        "news" => "Use domain: with the sites that you count as news",
        "hashtag" | "mention" | "link" | "image" | "video" => "Use has: with the plural",
        "has_engagement" => "Use likes:>0 OR retweets:>0 OR replies:>0",
        _ => "Use has: or is:",
    }
}
