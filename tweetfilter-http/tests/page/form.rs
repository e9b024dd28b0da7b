//! The form that writes a filter: people as they are pasted, and texts that say more than it can.

use serde_json::json;

use crate::browser::Browser;
use crate::served::Served;

const TEXT: &str = "document.querySelector('#filter-text').value";

async fn fill(browser: &Browser, name: &str, value: &str) {
    let script = format!(
        "const field = document.querySelector('tf-form [name={name}]');
         field.focus();
         field.select();
         document.execCommand('insertText', false, {})",
        json!(value)
    );
    browser.run(&script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_taken_from_addresses_and_what_names_nobody_is_said_at_the_field() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/filters/new'").await;
    browser.press("[data-do=form]").await;
    browser.until("document.activeElement.name === 'all'").await;
    for (typed, text) in [
        ("https://x.com/nasa", "from:nasa"),
        ("twitter.com/@NASA/status/1, bob", "from:NASA,bob"),
        ("@user@host.social", "from:user@host.social"),
        ("https://mastodon.social/@bob", "from:bob@mastodon.social"),
        ("https://mastodon.social/@bob@other.net/12", "from:bob@other.net"),
        ("https://bsky.app/profile/ann.bsky.social", "from:ann.bsky.social"),
        ("did:plc:abc", "from:did:plc:abc"),
    ] {
        fill(&browser, "from", typed).await;
        browser.until(&format!("{TEXT} === {}", json!(text))).await;
        assert_eq!(
            browser.run("return document.querySelector('#form-from-trouble').hidden").await,
            json!(true)
        );
    }
    browser.sees("✓ Valid").await;
    for typed in ["https://x.com/home", "https://example.com/about", "bob höß", "@"] {
        fill(&browser, "from", typed).await;
        browser.until("!document.querySelector('#form-from-trouble').hidden").await;
        browser.until("document.querySelector('#form-from').ariaInvalid === 'true'").await;
        let wrong = typed.rsplit(' ').next().unwrap();
        browser.sees(&format!("“{wrong}” is no name of an account, or address of a profile")).await;
        let text = browser.run(&format!("return {TEXT}")).await;
        assert_eq!(text, json!(if typed.starts_with("bob") { "from:bob" } else { "" }));
    }
    browser.picture("form-from").await;
    fill(&browser, "from", "bob").await;
    browser.until("document.querySelector('#form-from-trouble').hidden").await;
    fill(&browser, "lang", "en, e/n").await;
    browser.sees("“e/n” is no language").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_taken_in_quotes_of_any_kind_and_with_the_signs_they_have() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.begins_a_filter(&served.link()).await;
    browser.press("[data-do=form]").await;
    browser.until("document.activeElement.name === 'all'").await;
    for (typed, text) in [
        ("“new york”", "\"new york\""),
        ("«oui», „Zitat“", "oui Zitat"),
        ("\"snow, rain\"", "\"snow, rain\""),
        ("“snow, rain”, hail, 6\", 7\"", "\"snow, rain\" hail 6 7"),
        ("C++", "contains:\"C++\""),
        ("C#, new year!", "contains:\"C#\" \"new year!\""),
        ("<3, snow", "contains:\"<3\" snow"),
    ] {
        fill(&browser, "all", typed).await;
        browser.until(&format!("{TEXT} === {}", json!(text))).await;
        browser.sees("✓ Valid").await;
    }
    fill(&browser, "all", "hail").await;
    fill(&browser, "any", "C++, snow").await;
    fill(&browser, "none", "C#").await;
    browser.until(&format!("{TEXT} === {}", json!("hail (contains:\"C++\" OR snow) -contains:\"C#\""))).await;
    // Read again, they are the values that were typed.
    browser.press("[data-do=form]").await;
    browser.press("[data-do=form]").await;
    for (name, value) in [("all", "hail"), ("any", "C++, snow"), ("none", "C#")] {
        let field = format!("document.querySelector('tf-form [name={name}]').value");
        browser.until(&format!("{field} === {}", json!(value))).await;
    }
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_the_form_replaced_can_be_had_back() {
    const RICH: &str = "snow OR (rain -has:links)";
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let id = served.house.filter(served.ann, RICH).await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run(&format!("location.hash = '#/filters/{id}'")).await;
    let rich = format!("{TEXT} === {}", json!(RICH));
    browser.until(&format!("document.querySelector('#filter-text') && {rich}")).await;
    browser.press("[data-do=form]").await;
    browser.sees("The filter says more than this form can").await;
    // Back before anything was filled in.
    browser.press("tf-form .notice:not([hidden]) [data-do=form-back]").await;
    browser.until("document.querySelector('tf-form').hidden").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    assert_eq!(browser.run(&format!("return {rich}")).await, json!(true));
    // And after.
    browser.press("[data-do=form]").await;
    fill(&browser, "all", "hail").await;
    browser.until(&format!("{TEXT} === 'hail'")).await;
    browser.sees("The filter said more than this form can").await;
    browser.picture("form-replaced").await;
    // Closed and opened again it is offered still.
    browser.press("[data-do=form]").await;
    browser.press("[data-do=form]").await;
    browser.sees("The filter said more than this form can").await;
    browser.press("tf-form .notice:not([hidden]) [data-do=form-back]").await;
    browser.until(&rich).await;
    browser.until("document.querySelector('tf-form').hidden").await;
    browser.until("document.querySelector('[data-do=form]').ariaExpanded === 'false'").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_hold_more_than_a_filter_may_have_are_not_split() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.begins_a_filter(&served.link()).await;
    browser.press("[data-do=form]").await;
    browser.until("document.activeElement.name === 'all'").await;
    let paste = async |name: &str, value: &str| {
        let script = format!(
            "const field = document.querySelector('tf-form [name={name}]');
             field.value = {value};
             field.dispatchEvent(new Event('input', {{bubbles: true}}))"
        );
        browser.run(&script).await;
    };
    // It is said at the text, in which it stands to the letter.
    paste("all", "'snow,'.repeat(80_000)").await;
    browser.sees("A filter has at most 65,536 bytes, and this has 400,000.").await;
    browser.until(&format!("{TEXT}.startsWith('snow,snow,')")).await;
    browser.until("document.querySelector('tf-editor [type=submit]').disabled").await;
    browser.picture("form-too-long").await;
    paste("all", "''").await;
    paste("from", "'@ '.repeat(100_000)").await;
    browser.sees("A filter has at most 65,536 bytes, and this has 200,000.").await;
    assert_eq!(browser.run("return document.querySelector('#form-from-trouble').hidden").await, json!(true));
    // Of many that are none some are named.
    paste("from", "'@ '.repeat(1_000)").await;
    browser.sees("“@” and 990 more are no name of an account").await;
    let said = browser.run("return document.querySelector('#form-from-trouble').textContent.length").await;
    assert!(said.as_i64().unwrap() < 300, "{said}");
    paste("from", "''").await;
    paste("all", "'hail, new year'").await;
    browser.until(&format!("{TEXT} === 'hail \"new year\"'")).await;
    browser.sees("✓ Valid").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_form_wrote_it_reads_and_what_it_writes_is_valid() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.begins_a_filter(&served.link()).await;
    browser.press("[data-do=form]").await;
    browser.until("document.activeElement.name === 'all'").await;
    for (all, any, from, text) in [
        ("", "coffee (decaf), tea", "", "\"coffee (decaf)\" OR tea"),
        ("hail", "coffee (decaf), this OR that", "", "hail (\"coffee (decaf)\" OR \"this OR that\")"),
        ("", "", "did:plc:abc, bob", "from:did:plc:abc,bob"),
        ("$5, $TSLA, $BRK.B", "", "", "contains:\"$5\" $TSLA $BRK.B"),
        ("a*, snow*, 東京*, #ab*", "", "", "contains:\"a*\" snow* contains:\"東京*\" #ab*"),
        ("_, #_, @ñ, @bob, a_b", "", "", "contains:\"_\" contains:\"#_\" contains:\"@ñ\" @bob a_b"),
    ] {
        let fields = [("all", all), ("any", any), ("from", from)];
        for (name, value) in fields {
            fill(&browser, name, "").await;
            if !value.is_empty() {
                fill(&browser, name, value).await;
            }
        }
        browser.until(&format!("{TEXT} === {}", json!(text))).await;
        browser.sees("✓ Valid").await;
        let errors = "document.querySelectorAll('tf-editor .finding[data-severity=error]').length";
        browser.until(&format!("{errors} === 0")).await;
        // Read from the text alone.
        let read = browser
            .wait(&format!("import('/page/model/form.js').then(({{read}}) => read({}))", json!(text)))
            .await;
        for (name, value) in fields {
            assert_eq!(read[name], json!(value), "{name} of {text}");
        }
    }
    browser.was_clean().await;
    browser.end().await;
}
