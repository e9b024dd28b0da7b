//! The page as people see it, in a real Chromium. Without one each test says `skipped: no chromium`.
//!
//! Pictures of what was seen lie in `target/page/` afterwards.
#![allow(missing_docs)]

mod barren;
mod begins;
mod behind;
mod browser;
mod busy;
mod chromium;
mod editor;
mod everyday;
mod exchange;
mod form;
mod halfway;
mod heads;
mod hostile;
#[path = "../api/house.rs"]
#[allow(dead_code, reason = "the API's tests ask for more of it")]
mod house;
mod keyboard;
mod lists;
mod looks;
mod manual;
mod many;
#[path = "../../../tweetfilter-sql/tests/common/mod.rs"]
mod maria;
mod meanwhile;
mod named;
mod nginx;
mod operations;
mod reach;
mod refused;
mod said;
mod served;
mod silent;
mod story;
mod streamless;
mod trouble;
mod twice;
mod unanswered;
mod unnoticed;
mod unsaved;
mod views;
