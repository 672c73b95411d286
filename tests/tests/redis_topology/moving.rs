//! Slots of a cluster that move to another node while they are read, written, scanned and watched.

use std::collections::BTreeSet;

use state_runtime::backend::{AddOptions, BatchOp, Condition};

use super::*;

/// A slot on its way from one node of a cluster to another.
struct Move<'c> {
    cluster: &'c Cluster,
    slot: String,
    from: &'c Server,
    to: &'c Server,
}

impl<'c> Move<'c> {
    /// Of the slot that `name` is in, from its owner to the next node.
    async fn begin(cluster: &'c Cluster, name: &str) -> core::result::Result<Self, Box<dyn Error>> {
        let nodes = cluster.nodes();
        let first = nodes.first().ok_or("no nodes")?;
        let slot: u16 = first.command(&["CLUSTER", "KEYSLOT", name]).await?;
        let mut owner = None;
        for (index, node) in nodes.iter().enumerate() {
            // Everybody else sends the caller on.
            if node.command::<Option<String>>(&["GET", name]).await.is_ok() {
                owner = Some(index);
            }
        }
        let from = owner.ok_or("no owner")?;
        let to = (from + 1) % nodes.len();
        let (from, to) = (&nodes[from], &nodes[to]);
        let this = Self { cluster, slot: slot.to_string(), from, to };
        let (source, target) = (this.id(from).await?, this.id(to).await?);
        to.command::<()>(&["CLUSTER", "SETSLOT", &this.slot, "IMPORTING", &source]).await?;
        from.command::<()>(&["CLUSTER", "SETSLOT", &this.slot, "MIGRATING", &target]).await?;
        Ok(this)
    }

    async fn id(&self, node: &Server) -> redis::RedisResult<String> {
        node.command(&["CLUSTER", "MYID"]).await
    }

    /// Moves some keys.
    async fn keys(&self, names: &[&str]) -> TestResult {
        let port = self.to.port().to_string();
        let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "10000", "KEYS"];
        migrate.extend(names);
        let answer: String = self.from.command(&migrate).await?;
        assert_eq!(answer, "OK");
        Ok(())
    }

    /// Moves all keys, and gives the slot to its new owner.
    async fn finish(self) -> TestResult {
        loop {
            let get = ["CLUSTER", "GETKEYSINSLOT", &self.slot, "100"];
            let names: Vec<String> = self.from.command(&get).await?;
            if names.is_empty() {
                break;
            }
            self.keys(&names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        }
        let target = self.id(self.to).await?;
        let others = self.cluster.nodes().iter();
        let others = others.filter(|node| node.port() != self.to.port());
        for node in core::iter::once(self.to).chain(others) {
            node.command::<()>(&["CLUSTER", "SETSLOT", &self.slot, "NODE", &target]).await?;
        }
        Ok(())
    }
}

async fn open(cluster: &Cluster) -> Result<RedisBackend> {
    RedisBackend::connect(RedisConfig::cluster(cluster.addresses())).await
}

/// How often a node answered with an error of this code.
async fn errors(node: &Server, code: &str) -> redis::RedisResult<u64> {
    let stats: String = node.command(&["INFO", "errorstats"]).await?;
    let line =
        stats.lines().find_map(|line| line.strip_prefix(&format!("errorstat_{code}:count=")));
    Ok(line.and_then(|count| count.trim().parse().ok()).unwrap_or_default())
}

fn adding() -> AddOptions {
    AddOptions { delta: 1, min: i128::MIN, max: i128::MAX, ttl: None }
}

fn write(name: &str, value: &'static str, condition: Condition) -> BatchOp {
    let options = SetOptions { condition, ..SetOptions::default() };
    BatchOp::Set { key: key(name), value: value.into(), options }
}

async fn works_with_all(flavour: Flavour) -> TestResult {
    let cluster = Cluster::start(flavour, 3).await;
    let backend = open(&cluster).await?;
    let names: Vec<_> = (0..6).map(|number| format!("{{t}}:{number}")).collect();
    for name in &names {
        put(&backend, name, name).await?;
    }
    let moving = Move::begin(&cluster, "{t}").await?;
    moving.keys(&["{t}:0", "{t}:1", "{t}:2"]).await?;

    // Half of the keys are there, half are still here.
    for name in &names {
        assert_eq!(value(&backend, name).await?.as_deref(), Some(name.as_str()));
    }
    let requests: Vec<_> = names.iter().map(|name| (key(name), GetOptions::default())).collect();
    let many = backend.get_many(&requests).await?;
    assert!(many.iter().all(Option::is_some), "{many:?}");
    put(&backend, "{t}:0", "new").await?;
    put(&backend, "{t}:5", "new").await?;
    assert_eq!(backend.add(&key("{t}:count"), adding()).await?, 1);
    assert_eq!(backend.add(&key("{t}:count"), adding()).await?, 2);
    let create = SetOptions { condition: Condition::IfAbsent, ..SetOptions::default() };
    backend.set(&key("{t}:created"), "1".into(), create.clone()).await?;
    let again = backend.set(&key("{t}:created"), "2".into(), create).await;
    assert_eq!(again.map_err(|e| e.kind()), Err(ErrorKind::Conflict { index: 0 }));
    assert!(errors(moving.from, "ASK").await? > 0, "nobody was sent ahead");

    // A batch over both halves has to wait until they are in one place, and says so.
    let batch = vec![
        write("{t}:0", "batch", Condition::Always),
        write("{t}:5", "batch", Condition::Always),
    ];
    let error = backend.apply(batch.clone()).await.expect_err("the keys are in two places");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!(value(&backend, "{t}:5").await?.as_deref(), Some("new"));

    let (from, before) = (moving.from, errors(moving.from, "MOVED").await?);
    moving.finish().await?;
    backend.apply(batch).await?;
    assert_eq!(value(&backend, "{t}:0").await?.as_deref(), Some("batch"));
    assert_eq!(value(&backend, "{t}:1").await?.as_deref(), Some("{t}:1"));
    assert_eq!(backend.add(&key("{t}:count"), adding()).await?, 3);
    assert!(errors(from, "MOVED").await? > before, "nobody was sent on");

    // After a while nobody is: the new owner is known.
    let settled = || async {
        let before = errors(from, "MOVED").await.unwrap_or_default();
        let found = value(&backend, "{t}:1").await.ok().flatten().is_some();
        found && errors(from, "MOVED").await.is_ok_and(|after| after == before)
    };
    until("the new owner is learnt", settled).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_works_while_a_slot_of_redis_7_moves() -> TestResult {
    works_with_all(Flavour::Redis7).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_works_while_a_slot_of_redis_8_moves() -> TestResult {
    works_with_all(Flavour::Redis8).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_works_while_a_slot_of_valkey_9_moves() -> TestResult {
    works_with_all(Flavour::Valkey9).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_addition_is_lost_or_made_twice_while_slots_move() -> TestResult {
    const ADDERS: usize = 8;
    const EACH: usize = 400;
    let cluster = Cluster::start(Flavour::Valkey9, 3).await;
    let backend = open(&cluster).await?;
    let names: Vec<_> = (0..8).map(|number| format!("{{c{number}}}")).collect();
    let adders = (0..ADDERS).map(|adder| {
        let (backend, names) = (backend.clone(), names.clone());
        tokio::spawn(async move {
            for round in 0..EACH {
                let name = &names[(adder + round) % names.len()];
                backend.add(&key(name), adding()).await?;
            }
            Result::<()>::Ok(())
        })
    });
    let adders: Vec<_> = adders.collect();
    let mut rounds = 0;
    while adders.iter().any(|adder| !adder.is_finished()) {
        for name in &names {
            Move::begin(&cluster, name).await?.finish().await?;
        }
        rounds += 1;
    }
    assert!(rounds > 0, "no slot moved");
    for adder in adders {
        adder.await??;
    }
    let mut sum = 0;
    for name in &names {
        sum += value(&backend, name).await?.ok_or("a counter is gone")?.parse::<usize>()?;
    }
    assert_eq!(sum, ADDERS * EACH);
    Ok(())
}

async fn scans_completely(flavour: Flavour) -> TestResult {
    let cluster = Cluster::start(flavour, 3).await;
    let backend = open(&cluster).await?;
    let mut names = fill(&backend, "user:", 3000).await?;
    let tags: Vec<_> = (0..12).map(|number| format!("user:{{t{number}}}:")).collect();
    for tag in &tags {
        names.extend(fill(&backend, tag, 100).await?);
    }
    // At any time slots move from nodes that are yet to be scanned to some that were, and back.
    for start in 0..3 {
        let (mut listed, mut cursor) = (Listed::new(), None);
        cursor = list(&mut listed, page(&backend, "user:", cursor, 250).await?);
        for (round, tag) in tags.iter().enumerate() {
            let moving = Move::begin(&cluster, tag).await?;
            if round % 3 == start {
                cursor = list(&mut listed, page(&backend, "user:", cursor.clone(), 250).await?);
            }
            moving.finish().await?;
            if cursor.is_none() {
                break;
            }
            cursor = list(&mut listed, page(&backend, "user:", cursor, 250).await?);
            if cursor.is_none() {
                break;
            }
        }
        finish(&backend, "user:", cursor, &mut listed).await?;
        assert_complete(&listed, &names);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_complete_while_slots_of_redis_7_move() -> TestResult {
    scans_completely(Flavour::Redis7).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_complete_while_slots_of_valkey_9_move() -> TestResult {
    scans_completely(Flavour::Valkey9).await
}

/// Two tags of each of two nodes, all of other slots.
async fn tags(cluster: &Cluster) -> redis::RedisResult<[[String; 2]; 2]> {
    let mut tags = [Vec::new(), Vec::new()];
    let mut slots = BTreeSet::new();
    for tag in (0..).map(|number| format!("user:{{{number}}}:")) {
        let slot: usize = cluster.nodes()[0].command(&["CLUSTER", "KEYSLOT", &tag]).await?;
        if slots.insert(slot) && tags[slot / 8192].len() < 2 {
            tags[slot / 8192].push(tag);
        }
        if tags.iter().all(|tags| tags.len() == 2) {
            break;
        }
    }
    Ok(tags.map(|tags| [tags[0].clone(), tags[1].clone()]))
}

/// A slot goes to a node that was scanned already, and comes back once its own was too.
async fn finds_what_went_away_and_came_back(greatest: usize) -> TestResult {
    let cluster = Cluster::start(Flavour::Redis7, 2).await;
    // A node that has the greatest epoch takes a slot without getting another one.
    cluster.nodes()[greatest].command::<String>(&["CLUSTER", "BUMPEPOCH"]).await?;
    let backend = open(&cluster).await?;
    let (tags, mut names) = (tags(&cluster).await?, Vec::new());
    for [stays, moves] in &tags {
        // More than the server looks at in one go.
        names.extend(fill(&backend, stays, 1500).await?);
        names.extend(fill(&backend, moves, 50).await?);
    }

    let mut listed = Listed::new();
    let mut cursor = list(&mut listed, page(&backend, "user:", None, 1).await?);
    let first = usize::from(listed.keys().any(|name| tags[1].iter().any(|t| name.starts_with(t))));
    let second = 1 - first;
    // Both tags of the first node, or what stays on the second.
    let goals = [tags[first].to_vec(), vec![tags[second][0].clone()]];
    for goal in goals {
        let due = |listed: &Listed| {
            let of_goal = |name: &&String| goal.iter().any(|tag| name.starts_with(tag));
            names.iter().filter(of_goal).any(|name| !listed.contains_key(name))
        };
        while due(&listed) {
            cursor = list(&mut listed, page(&backend, "user:", cursor, 1).await?);
        }
        Move::begin(&cluster, &tags[second][1]).await?.finish().await?;
        assert!(cursor.is_some(), "the scan is over");
    }
    finish(&backend, "user:", cursor, &mut listed).await?;
    assert_complete(&listed, &names);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_finds_what_went_to_a_node_of_a_lesser_epoch_and_came_back() -> TestResult {
    finds_what_went_away_and_came_back(0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_finds_what_went_to_the_node_of_the_greatest_epoch_and_came_back() -> TestResult {
    finds_what_went_away_and_came_back(1).await
}

/// A node without slots is known to nobody who asks for the owners.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_finds_what_is_on_its_way_to_a_node_without_slots() -> TestResult {
    let cluster = Cluster::start(Flavour::Redis7, 2).await;
    let backend = open(&cluster).await?;
    let names = fill(&backend, "{t}:", 50).await?;
    let joining = Server::builder(Flavour::Redis7).config("cluster-enabled yes").start().await;
    let (first, port) = (&cluster.nodes()[0], joining.port().to_string());
    first.command::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port]).await?;
    let id: String = joining.command(&["CLUSTER", "MYID"]).await?;
    let slot: u16 = first.command(&["CLUSTER", "KEYSLOT", "{t}"]).await?;
    let owner = usize::from(slot) / 8192;
    let (owner, slot) = (&cluster.nodes()[owner], slot.to_string());
    let met = || async {
        let known = owner.command::<String>(&["CLUSTER", "NODES"]).await.unwrap_or_default();
        let here = joining.command::<String>(&["CLUSTER", "INFO"]).await.unwrap_or_default();
        known.contains(&id) && !known.contains("handshake") && here.contains("cluster_state:ok")
    };
    until("the nodes have met", met).await;
    let from: String = owner.command(&["CLUSTER", "MYID"]).await?;
    joining.command::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from]).await?;
    owner.command::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id]).await?;
    let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "10000", "KEYS"];
    migrate.extend(names.iter().take(25).map(String::as_str));
    owner.command::<String>(&migrate).await?;

    let mut listed = Listed::new();
    let cursor = list(&mut listed, page(&backend, "{t}:", None, 10).await?);
    finish(&backend, "{t}:", cursor, &mut listed).await?;
    assert_complete(&listed, &names);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_while_slots_move() -> TestResult {
    let cluster = Cluster::start(Flavour::Redis8, 3).await;
    let backend = open(&cluster).await?;
    put(&backend, "{t}:1", "1").await?;
    let mut changes = watch(&backend, "{t}:").await?;
    for round in 0..3 {
        Move::begin(&cluster, "{t}").await?.finish().await?;
        let name = format!("{{t}}:new:{round}");
        put(&backend, &name, "1").await?;
        // That keys have left one node is told before, and nothing else.
        loop {
            match next(&mut changes).await? {
                Change::Key(found) if found.as_str() == name => break,
                other => assert_ne!(other, Change::Everything),
            }
        }
    }
    Ok(())
}
