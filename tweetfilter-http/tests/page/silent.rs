//! Connections fall silent, and are not closed: whatever was asked on them is never answered.

use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::browser::{Browser, CONTROL, ENTER};
use crate::served::{Seen, Served};

/// What is between a browser and a server.
struct Between {
    address: SocketAddr,
    falls_silent: watch::Sender<()>,
}

impl Between {
    async fn over(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (falls_silent, told) = watch::channel(());
        tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(server).await else { continue };
                let ((from, to), (back_from, back_to)) = (browser.into_split(), server.into_split());
                tokio::spawn(pass(from, back_to, told.clone()));
                tokio::spawn(pass(back_from, to, told.clone()));
            }
        });
        Self { address, falls_silent }
    }

    /// Nothing passes any more through what is open now.
    fn fall_silent(&self) {
        self.falls_silent.send_replace(());
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut silent: watch::Receiver<()>) {
    silent.mark_unchanged();
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            biased;
            _ = silent.changed() => return std::future::pending().await,
            read = from.read(&mut bytes) => read,
        };
        match read {
            Ok(read) if read > 0 && to.write_all(&bytes[..read]).await.is_ok() => {}
            _ => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_and_never_answered_is_said_where_it_belongs_and_goes_on() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Snow in Oslo")]).await;
    let between = Between::over(served.address).await;
    browser.open(&format!("http://{}/#token={}", between.address, served.token)).await;
    browser.sees("Snow in Oslo").await;

    // A filter is saved: it may be tried again, and is there once.
    browser.run("location.hash = '#/filters/new'").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.keys("snow").await;
    browser.until("document.querySelectorAll('tf-preview .post').length === 1").await;
    between.fall_silent();
    browser.chord(CONTROL, ENTER).await;
    browser.sees("Saving …").await;
    browser.sees("The server cannot be reached").await;
    browser
        .until("document.querySelector('tf-editor [type=submit]:not(:disabled)')?.innerText === 'Add filter'")
        .await;
    browser.picture("silent").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("location.hash === '#/filters'").await;
    let kept = served.house.get(&served.token, "/filters").await.ok().clone();
    assert_eq!(kept.as_array().unwrap().len(), 1);
    // What came meanwhile is there, and what comes.
    served.posts(&[Seen::new(2, "Snow in Bergen")]).await;
    browser.run("location.hash = '#/timeline'").await;
    browser.sees("Snow in Bergen").await;
    browser.until("document.querySelector('#trouble').hidden").await;

    // A search and a preview go on by themselves.
    browser.run("location.hash = '#/search'").await;
    browser.until("document.activeElement.id === 'search-text'").await;
    between.fall_silent();
    browser.keys(&format!("snow{ENTER}")).await;
    browser.until("document.querySelectorAll('tf-search .post').length === 2").await;
    browser.run("location.hash = '#/filters/new'").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    between.fall_silent();
    browser.keys("bergen").await;
    browser.until("document.querySelectorAll('tf-preview .post').length === 1").await;
    browser.sees("✓ Valid").await;
    browser.until("document.querySelector('#trouble').hidden").await;
    served.posts(&[Seen::new(3, "Snow in Bodø")]).await;
    browser.run("location.hash = '#/timeline'").await;
    browser.sees("Snow in Bodø").await;
    assert_eq!(browser.run("return document.querySelectorAll('tf-column .post').length").await, json!(3));
    browser.was_clean().await;
    browser.end().await;
}
