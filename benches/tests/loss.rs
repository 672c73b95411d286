//! No increment of many callers at once is lost, on any backend; and whoever reads and writes back
//! loses some, so that there was something to lose.

use benches::{
    loss::{Way, count},
    places::Place,
};

/// Counts by the callers of two instances, and checks that all of it is stored.
async fn nothing_is_lost(place: Place, increments: u64) {
    let Some(opened) = place.open(2).await.unwrap() else {
        println!("left out: {}", place.name());
        return;
    };
    for way in [Way::Update, Way::Add] {
        let counted = count(&opened.backends, way, increments).await.unwrap();
        println!("{}, {}: {counted:?}", place.name(), way.name());
        assert_eq!(counted.acknowledged + counted.unknown, increments);
        assert!(counted.is_honest(), "{place:?}, {way:?}: {counted:?}");
    }
}

macro_rules! places {
    ($($test:ident: $increments:literal in $place:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $test() {
            nothing_is_lost(Place::$place, $increments).await;
        }
    )*};
}

places! {
    of_10_000_increments_in_memory_none_is_lost: 10_000 in Memory;
    of_100_increments_in_a_file_none_is_lost: 100 in File;
    of_100_increments_on_redis_none_is_lost: 100 in Redis;
    of_100_increments_on_a_redis_cluster_none_is_lost: 100 in Cluster;
    of_100_increments_on_nats_none_is_lost: 100 in Nats;
    of_100_increments_on_dapr_none_is_lost: 100 in Dapr;
}

#[tokio::test(flavor = "current_thread")]
async fn reading_and_writing_back_loses_increments() {
    let opened = Place::Memory.open(2).await.unwrap().unwrap();
    let counted = count(&opened.backends, Way::GetThenSet, 100).await.unwrap();
    assert_eq!(counted.acknowledged, 100);
    assert!(counted.lost() > 0 && !counted.is_honest(), "{counted:?}");
}
