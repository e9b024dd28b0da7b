//! The names of workers.

use super::*;

/// Has another process work under a name: this one, which had it, but for what is said.
fn give_to_another(server: &RedisServer, worker: &str, said: &[(&str, serde_json::Value)]) -> String {
    let key = format!("tf:worker:{worker}");
    let mut process: serde_json::Value = serde_json::from_str(server.say(&["GET", &key]).trim()).unwrap();
    for (name, value) in said {
        process[*name] = value.clone();
    }
    server.say(&["SET", &key, &process.to_string(), "PX", "60000"]);
    server.say(&["GET", &key])
}

#[tokio::test]
async fn a_second_process_of_a_name_goes_on_under_its_own_and_takes_nothing() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 20).await;
    let held = buffer.lease("a", Most::entries(5), LONG).await.unwrap();
    let first = give_to_another(&server, "a", &[("pid", 7.into()), ("space", "elsewhere".into())]);
    let second = open(&server).await;
    let told = second.lease("a", Most::entries(20), LONG).await.unwrap_err();
    let BufferError::Named { worker, holder, own, free_in } = &told else { panic!("{told}") };
    assert!(worker == "a" && holder.starts_with("process 7") && own.starts_with("a/"), "{told}");
    assert!(*free_in <= LONG && *free_in > LONG / 2, "{told}");
    // It is told once.
    let rest = second.lease("a", Most::entries(20), LONG).await.unwrap();
    assert!(rest.len() == 15 && rest.iter().all(|entry| entry.attempts == 1), "{rest:?}");
    assert_eq!(server.say(&["GET", "tf:worker:a"]), first);
    // What the first holds is neither extended nor given back by it, nor by who had the name before.
    for buffer in [&second, &buffer] {
        buffer.extend("a", &ids(&held), Duration::ZERO).await.unwrap();
        buffer.release("a", &ids(&held)).await.unwrap();
    }
    assert_eq!(second.lease("b", Most::entries(20), LONG).await.unwrap(), []);
    second.release("a", &ids(&rest)).await.unwrap();
    assert_eq!(second.lease("b", Most::entries(20), LONG).await.unwrap().len(), 15);
    assert_eq!(server.say(&["GET", "tf:worker:a"]), first);
}

#[tokio::test]
async fn a_process_that_is_gone_leaves_its_name_and_what_it_held_at_once() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 10).await;
    assert_eq!(buffer.lease("a", Most::entries(4), LONG).await.unwrap().len(), 4);
    let gone = give_to_another(&server, "a", &[("pid", 4_000_000.into()), ("began", "1".into())]);
    let process: serde_json::Value = serde_json::from_str(gone.trim()).unwrap();
    if process["space"] == "" {
        println!("skipped: this system does not say which processes run");
        return;
    }
    let leased = buffer.lease("a", Most::entries(20), LONG).await.unwrap();
    assert_eq!(leased.len(), 10);
    assert_eq!(leased.iter().filter(|entry| entry.attempts == 2).count(), 4);
    assert_ne!(server.say(&["GET", "tf:worker:a"]), gone);
}

#[tokio::test]
async fn a_name_lasts_as_long_as_what_is_leased_under_it() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 10).await;
    let left = |worker: &str| -> i64 {
        server.say(&["PTTL", &format!("tf:worker:{worker}")]).trim().parse().unwrap()
    };
    buffer.lease("a", Most::entries(1), LONG).await.unwrap();
    buffer.lease("a", Most::entries(1), SHORT).await.unwrap();
    assert!((50_000..=60_000).contains(&left("a")), "{}", left("a"));
    let leased = buffer.lease("b", Most::entries(1), SHORT).await.unwrap();
    assert!(left("b") <= 400, "{}", left("b"));
    buffer.extend("b", &ids(&leased), LONG).await.unwrap();
    assert!((50_000..=60_000).contains(&left("b")), "{}", left("b"));
    // Who ends gives it back.
    buffer.release("b", &[]).await.unwrap();
    assert_eq!(left("b"), -2);
}
