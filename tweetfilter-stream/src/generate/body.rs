//! What a post says: text as the wire escapes it, and the entities in it.

use super::json::{Json, slug};
use super::lexicon::{Lexicon, emoji, lexicon};
use super::person::Person;
use super::random::Random;

/// Code points from start to end.
pub(super) type At = (u32, u32);

/// Length of a shortened link, `https://t.co/` and ten characters.
const LINK: u32 = 23;
/// Longer texts are cut to this, link to the whole included.
const CUT: u32 = 140;

const LENGTH: [(u32, u32); 7] = [(0, 2), (100, 8), (300, 24), (500, 54), (750, 116), (900, 210), (1000, 310)];
const SHORT: [(u32, u32); 4] = [(0, 1), (500, 6), (900, 45), (1000, 120)];

/// What kind of post the text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Own,
    Reply,
    /// An original that others retweet or quote.
    Original,
}

/// Text and entities.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    /// HTML-escaped, as on the wire.
    pub(super) text: String,
    pub(super) chars: u32,
    /// What a client shows: without leading mentions and media link.
    pub(super) display: At,
    tags: Vec<(String, At)>,
    symbols: Vec<(String, At)>,
    mentions: Vec<(Person, At)>,
    links: Vec<(u64, At)>,
    media: Option<(u64, At)>,
}

impl Body {
    /// Composes a text; a reply begins with the name of whom it answers.
    pub(super) fn compose(random: &mut Random, language: usize, kind: Kind, to: Option<&Person>) -> Self {
        let words = lexicon(language);
        let mut body = Self::default();
        if let Some(to) = to {
            body.mention(to.clone());
            while random.chance(1800) && body.chars < 100 {
                body.mention(Person::writer(random, language));
            }
        }
        body.display.0 = body.chars;
        let smileys = random.chance(2500);
        let straight = random.chance(4500);
        let lines = random.chance(4100);
        let short = words.code == "und" || random.chance(if kind == Kind::Reply { 4700 } else { 2000 });
        let target =
            random.quantile(if short { &SHORT } else { &LENGTH }) * if words.dense() { 3 } else { 4 } / 4;
        let limit = body.chars + if words.dense() { 132 } else { 276 };
        let mut sentence = String::new();
        loop {
            sentence.clear();
            let list = if target < 8 && random.chance(5500) { random.pick(&["n", "a", "o"]) } else { "s" };
            write_sentence(words, list, random, straight, &mut sentence);
            let length = sentence.chars().count() as u32;
            if body.chars + length > limit {
                break;
            }
            if body.chars > body.display.0 {
                body.push(if lines && random.chance(6000) {
                    if random.chance(3500) { "\n\n" } else { "\n" }
                } else if words.unspaced() {
                    ""
                } else {
                    " "
                });
            }
            if random.chance(330) && body.chars > body.display.0 && kind != Kind::Reply {
                body.mention(Person::famous(random, language));
            }
            body.push_counted(&sentence, length);
            if smileys && random.chance(6000) {
                body.push(if random.chance(5000) { " " } else { "" });
                let smiley = emoji(random);
                for _ in 0..1 + random.zipf(5, 1) {
                    body.push(smiley);
                }
            }
            if body.chars - body.display.0 >= target {
                break;
            }
        }
        if random.chance(200) {
            body.push(random.pick(&[" &lt;3", " &gt;&gt;", " &amp; more", " -&gt;", " (A&amp;R)"]));
        }
        body.attach(random, words, kind);
        body
    }

    /// Tags, links and media after the text.
    fn attach(&mut self, random: &mut Random, words: &Lexicon, kind: Kind) {
        if random.chance(if kind == Kind::Reply { 400 } else { 2150 }) {
            let between = if random.chance(4000) { "\n" } else { " " };
            let mut tag = String::new();
            for _ in 0..1 + random.zipf(8, 2) {
                tag.clear();
                if random.chance(6500) {
                    words.write("h", random, &mut tag)
                } else {
                    words.invented(random, &mut tag)
                }
                if tag.is_empty() || self.tags.iter().any(|(other, _)| *other == tag) || self.chars > 240 {
                    break;
                }
                self.push(between);
                let start = self.chars;
                self.push("#");
                self.push(&tag);
                self.tags.push((tag.clone(), (start, self.chars)));
            }
        }
        if random.chance(40) {
            self.push(" ");
            let start = self.chars;
            let symbol = random.pick(&["BTC", "ETH", "TSLA", "GME", "DOGE", "BRK.B"]);
            self.push("$");
            self.push(symbol);
            self.symbols.push((symbol.to_owned(), (start, self.chars)));
        }
        self.display.1 = self.chars;
        if random.chance(if kind == Kind::Reply { 150 } else { 850 }) {
            let link = random.next() & !SELF_LINK;
            let at = self.link(link);
            self.links.push((link, at));
            self.display.1 = self.chars;
        }
        let media = match kind {
            Kind::Own => 2600,
            Kind::Reply => 900,
            Kind::Original => 6000,
        };
        if random.chance(media) {
            let media = random.next();
            self.media = Some((media, self.link(media)));
        }
    }

    /// Whether the wire carries the text cut, with the whole beside it.
    pub(super) fn is_cut(&self) -> bool {
        self.display.1 - self.display.0.min(self.display.1) > CUT || self.display.1 > CUT + 40
    }

    /// The retweet's own text: `RT @name: ` and as much of the original as 140 characters hold.
    pub(super) fn retweeted(&self, of: &Person) -> Self {
        let mut body = Self::default();
        body.push("RT ");
        body.mention_bare(of.clone());
        body.push(": ");
        let room = CUT - body.chars;
        if self.chars <= room {
            body.append(self, self.chars);
        } else {
            body.append(self, self.safe_cut(room - 1));
            body.push("…");
        }
        body.display = (0, body.chars);
        body
    }

    /// The cut text that old clients get, with a link to the post.
    pub(super) fn cut(&self, post: u64) -> Self {
        let mut body = Self::default();
        body.append(self, self.safe_cut(CUT - LINK - 2));
        body.push("…");
        body.display = (self.display.0, CUT);
        let at = body.link(post);
        body.links.push((post | SELF_LINK, at));
        body
    }

    /// The largest cut up to `limit` that splits no entity and no `&amp;`.
    fn safe_cut(&self, limit: u32) -> u32 {
        let mut limit = limit.min(self.chars);
        let ats = self.ats();
        for (start, end) in ats {
            if start < limit && limit < end {
                limit = start;
            }
        }
        let open = self.text.chars().take(limit as usize).collect::<Vec<_>>();
        match open.iter().rev().take(5).position(|&c| c == '&') {
            Some(back) if !open[open.len() - 1 - back..].contains(&';') => limit - back as u32 - 1,
            _ => limit,
        }
    }

    fn ats(&self) -> Vec<At> {
        let mut ats: Vec<At> = self.tags.iter().chain(&self.symbols).map(|(_, at)| *at).collect();
        ats.extend(self.mentions.iter().map(|(_, at)| *at));
        ats.extend(self.links.iter().map(|(_, at)| *at));
        ats.extend(self.media.map(|(_, at)| at));
        ats.sort_unstable_by_key(|at| std::cmp::Reverse(at.0));
        ats
    }

    /// Adds the first `chars` characters of `from` and the entities that lie in them whole.
    fn append(&mut self, from: &Self, chars: u32) {
        let shift = self.chars;
        let moved = |at: At| (at.1 <= chars).then_some((at.0 + shift, at.1 + shift));
        let end = from.text.char_indices().nth(chars as usize).map_or(from.text.len(), |(i, _)| i);
        self.push_counted(&from.text[..end], chars);
        self.tags.extend(from.tags.iter().filter_map(|(tag, at)| Some((tag.clone(), moved(*at)?))));
        self.symbols.extend(from.symbols.iter().filter_map(|(tag, at)| Some((tag.clone(), moved(*at)?))));
        self.mentions.extend(from.mentions.iter().filter_map(|(who, at)| Some((who.clone(), moved(*at)?))));
        self.links.extend(from.links.iter().filter_map(|(link, at)| Some((*link, moved(*at)?))));
        self.media = from.media.and_then(|(media, at)| Some((media, moved(at)?)));
    }

    fn mention(&mut self, who: Person) {
        self.mention_bare(who);
        self.push(" ");
    }

    fn mention_bare(&mut self, who: Person) {
        let start = self.chars;
        self.push("@");
        self.push(&who.handle);
        self.mentions.push((who, (start, self.chars)));
    }

    fn link(&mut self, number: u64) -> At {
        if self.chars > 0 {
            self.push(" ");
        }
        let start = self.chars;
        self.push("https://t.co/");
        slug(number, 10, &mut self.text);
        self.chars += 10;
        (start, self.chars)
    }

    fn push(&mut self, text: &str) {
        self.push_counted(text, text.chars().count() as u32);
    }

    fn push_counted(&mut self, text: &str, chars: u32) {
        self.text.push_str(text);
        self.chars += chars;
    }

    /// `"entities":{…}`, and `"extended_entities":{…}` where there are media.
    pub(super) fn write_entities(&self, json: &mut Json, author: &Person, post: u64) {
        json.raw("\"entities\":");
        self.write_lists(json, author, post);
        if self.media.is_some() {
            json.raw(",\"extended_entities\":{");
            self.write_media(json, author, post, true);
            json.raw("}");
        }
    }

    fn write_lists(&self, json: &mut Json, author: &Person, post: u64) {
        json.raw("{\"hashtags\":[");
        write_tags(json, &self.tags);
        json.raw("],\"urls\":[");
        for (i, &(link, at)) in self.links.iter().enumerate() {
            json.raw(if i > 0 { ",{\"url\":\"" } else { "{\"url\":\"" })
                .raw("https:\\/\\/t.co\\/")
                .slug(link & !SELF_LINK, 10);
            let mut shown = String::new();
            if link & SELF_LINK != 0 {
                shown = format!("twitter.com/i/web/status/{post}");
            } else {
                shown.push_str(SITES[(link % SITES.len() as u64) as usize]);
                slug(link >> 20, 6, &mut shown);
            }
            json.raw("\",\"expanded_url\":\"https:\\/\\/").escaped(&shown).raw("\",\"display_url\":\"");
            let short = shown.char_indices().nth(26).map_or(shown.len(), |(i, _)| i);
            json.escaped(&shown[..short])
                .raw(if short < shown.len() { "\\u2026\"," } else { "\"," })
                .indices(at)
                .raw("}");
        }
        json.raw("],\"user_mentions\":[");
        for (i, (who, at)) in self.mentions.iter().enumerate() {
            json.raw(if i > 0 { ",{\"screen_name\":\"" } else { "{\"screen_name\":\"" }).raw(&who.handle);
            json.raw("\",\"name\":").text(&who.name).raw(",\"id\":").number(who.id);
            json.raw(",\"id_str\":\"").number(who.id).raw("\",").indices(*at).raw("}");
        }
        json.raw("],\"symbols\":[");
        write_tags(json, &self.symbols);
        json.raw("]");
        if self.media.is_some() {
            json.raw(",");
            self.write_media(json, author, post, false);
        }
        json.raw("}");
    }

    /// `"media":[…]`; only the extended list holds more than one picture.
    fn write_media(&self, json: &mut Json, author: &Person, post: u64, extended: bool) {
        let Some((media, at)) = self.media else { return };
        let kind = ["photo", "photo", "photo", "video", "animated_gif"][(media % 5) as usize];
        let count = if extended && kind == "photo" { [1, 1, 2, 4][(media >> 9 & 3) as usize] } else { 1 };
        json.raw("\"media\":[");
        for number in 0..count {
            json.raw(if number > 0 { ",{\"id\":" } else { "{\"id\":" });
            write_medium(json, media, (media >> 3) + number, kind, at, (author, post));
        }
        json.raw("]");
    }
}

fn write_medium(json: &mut Json, media: u64, id: u64, kind: &str, at: At, (author, post): (&Person, u64)) {
    json.number(id).raw(",\"id_str\":\"").number(id).raw("\",").indices(at);
    for scheme in ["media_url\":\"http", "media_url_https\":\"https"] {
        json.raw(",\"").raw(scheme).raw(":\\/\\/pbs.twimg.com\\/media\\/").slug(id, 15).raw(".jpg\"");
    }
    json.raw(",\"url\":\"https:\\/\\/t.co\\/")
        .slug(media, 10)
        .raw("\",\"display_url\":\"pic.twitter.com\\/")
        .slug(media, 10);
    json.raw("\",\"expanded_url\":\"https:\\/\\/twitter.com\\/")
        .raw(&author.handle)
        .raw("\\/status\\/")
        .number(post);
    json.raw("\\/photo\\/1\",\"type\":\"").raw(kind).raw("\",\"sizes\":{");
    let (width, height) = (600 + media % 1400, 400 + media / 1400 % 1600);
    let sizes =
        [("thumb", 150, "crop"), ("small", 680, "fit"), ("medium", 1200, "fit"), ("large", 2048, "fit")];
    for (i, (name, most, resize)) in sizes.into_iter().enumerate() {
        json.raw(if i > 0 { ",\"" } else { "\"" }).raw(name).raw("\":{\"w\":").number(width.min(most));
        json.raw(",\"h\":").number(height.min(most)).raw(",\"resize\":\"").raw(resize).raw("\"}");
    }
    json.raw("}");
    if kind != "photo" {
        json.raw(
            ",\"additional_media_info\":{\"monetizable\":false},\"video_info\":{\"aspect_ratio\":[16,9],",
        );
        json.raw("\"duration_millis\":").number(media >> 11 & 0x1_ffff).raw(",\"variants\":[");
        for (i, rate) in [256_000_u32, 832_000, 2_176_000].into_iter().enumerate() {
            json.raw(if i > 0 { "},{\"bitrate\":" } else { "{\"bitrate\":" }).number(rate);
            json.raw(
                ",\"content_type\":\"video\\/mp4\",\"url\":\"https:\\/\\/video.twimg.com\\/ext_tw_video\\/",
            )
            .number(id);
            json.raw("\\/pu\\/vid\\/640x360\\/").slug(media >> (7 + i), 16).raw(".mp4?tag=10\"");
        }
        json.raw("}]}");
    }
    json.raw("}");
}

/// Marks the link of a cut text to its own post.
const SELF_LINK: u64 = 1 << 63;

const SITES: [&str; 10] = [
    "news.example/2021/03/",
    "bit.ly/",
    "youtu.be/",
    "www.example.org/story/",
    "photos.example/p/",
    "blog.example.net/",
    "shop.example/item?id=",
    "xn--bcher-kva.example/",
    "music.example/track/",
    "example.co.jp/",
];

fn write_tags(json: &mut Json, tags: &[(String, At)]) {
    for (i, (tag, at)) in tags.iter().enumerate() {
        json.raw(if i > 0 { ",{\"text\":" } else { "{\"text\":" }).text(tag).raw(",").indices(*at).raw("}");
    }
}

/// One sentence, or a word of a list, with its end, in the writer's capitals and apostrophes, escaped.
fn write_sentence(words: &Lexicon, list: &str, random: &mut Random, straight: bool, out: &mut String) {
    words.write(list, random, out);
    if out.is_empty() {
        words.write("s", random, out);
    }
    if out.contains("  ") {
        *out = out.replace("  ", " ");
    }
    if out.ends_with(char::is_alphanumeric) {
        out.push_str(words.end(random));
    }
    let trimmed = out.trim_start().len();
    out.drain(..out.len() - trimmed);
    if !straight && out.contains('\'') {
        *out = out.replace('\'', "’");
    }
    match random.below(100) {
        0..50 => {
            if let Some(first) = out.chars().next() {
                let upper: String = first.to_uppercase().collect();
                out.replace_range(..first.len_utf8(), &upper);
            }
        }
        50..53 => *out = out.to_uppercase(),
        _ => {}
    }
}
