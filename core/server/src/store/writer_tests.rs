use super::*;

#[test]
fn a_queue_of_strangers_leaves_known_jobs_their_places() {
    struct Nothing(Lane, Arc<Mutex<Vec<Lane>>>);
    impl Job for Nothing {
        fn run(&mut self, _: &mut rusqlite::Connection) -> Result<(), StoreError> {
            Ok(())
        }
        fn settle(self: Box<Self>, _: bool) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    let order = Arc::default();
    let mut queues = Queues::default();
    for _ in 0..200 {
        queues.strangers.push_back(Box::new(Nothing(Lane::Stranger, Arc::clone(&order))));
    }
    for _ in 0..100 {
        queues.known.push_back(Box::new(Nothing(Lane::Known, Arc::clone(&order))));
    }
    let mut taken = 0;
    for _ in 0..BATCH_MAX {
        queues.take(&mut taken).unwrap().settle(true);
    }
    let order = order.lock().unwrap();
    let strangers = order.iter().filter(|lane| **lane == Lane::Stranger).count();
    assert!((STRANGERS_SHARE - 4..=STRANGERS_SHARE).contains(&strangers), "{strangers}");
}
