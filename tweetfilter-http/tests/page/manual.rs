//! The API's manual, as people read it.

use serde_json::json;

use crate::browser::Browser;
use crate::served::Served;

#[tokio::test(flavor = "multi_thread")]
async fn the_manual_shows_code_as_code() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&format!("http://{}/manual", served.address)).await;
    let raw = "return document.body.innerText.split('\\n').filter((line) => line.includes('`'))";
    assert_eq!(browser.run(raw).await, json!([]));
    let code = "[...document.querySelectorAll('section p code, section dd code')]";
    browser.until(&format!("{code}.some((one) => one.innerText === 'If-Match')")).await;
    browser.picture("manual").await;
    browser.end().await;
}
