//! Telling the story, with the time that the machines took.

use anyhow::{Context, Result};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Where the story is told.
pub struct Stage {
    scene: Cell<u32>,
    recovering: Cell<bool>,
    recovery: Cell<Duration>,
    all: Cell<Duration>,
}

impl Stage {
    /// Before the first scene.
    pub fn open() -> Self {
        println!("\nThe lost laptop. Seconds are the machines'; people take their own time.\n");
        let zero = || Cell::new(Duration::ZERO);
        Self { scene: Cell::new(0), recovering: Cell::new(false), recovery: zero(), all: zero() }
    }

    /// From here on the waits are those of getting back in.
    pub fn count_from_here(&self) {
        self.recovering.set(true);
    }

    /// What follows is no part of getting back in.
    pub fn count_no_more(&self) {
        self.recovering.set(false);
    }

    /// A turn of the story.
    pub fn turn(&self, text: &str) {
        println!("\n      {text}\n");
    }

    /// Does something, says what became of it and how long it took.
    ///
    /// # Errors
    /// It did not go as it should.
    pub fn scene(&self, name: &str, act: impl FnOnce() -> Result<String>) -> Result<()> {
        let number = self.scene.get() + 1;
        self.scene.set(number);
        let started = Instant::now();
        let outcome = act().with_context(|| format!("\"{name}\" failed"))?;
        let took = started.elapsed();
        self.all.set(self.all.get() + took);
        if self.recovering.get() {
            self.recovery.set(self.recovery.get() + took);
        }
        println!("{number:>4}. {name:<58} {:>6.2} s", took.as_secs_f64());
        println!("      {outcome}");
        Ok(())
    }

    /// Says something that takes no machine's time.
    pub fn aside(&self, text: &str) {
        println!("      {text}");
    }

    /// The end: what the machines took to get somebody back in.
    pub fn close(&self) {
        let rest = self.all.get().saturating_sub(self.recovery.get());
        println!("\nThe scenes that are no part of the recovery took {:.2} s.", rest.as_secs_f64());
        println!("machine waits: {:.2} s", self.recovery.get().as_secs_f64());
    }
}
