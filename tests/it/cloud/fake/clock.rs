//! Time that passes by sleeping: the SDK backs off as long as it likes, and nobody waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;

/// One for all, as the SDK's rate limiters are: none may see time go back.
static SLEPT: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, Clone, Copy)]
pub struct Clock;

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_nanos(SLEPT.load(Ordering::Relaxed))
    }
}

impl AsyncSleep for Clock {
    fn sleep(&self, duration: Duration) -> Sleep {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        SLEPT.fetch_add(nanos, Ordering::Relaxed);
        Sleep::new(std::future::ready(()))
    }
}
