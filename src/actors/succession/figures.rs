//! How busy this machine is.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sysinfo::{Disks, Networks, System};
use tokio::sync::watch;

use crate::domain::succession::report::Figures;

/// What was measured last; none before the first time.
pub(super) type Measured = watch::Receiver<Option<Figures>>;

/// Measures this machine for as long as anybody wants to know: what this node is called, and whose disk counts.
pub(super) fn measured(name: String, data: PathBuf, every: Duration) -> Measured {
    on_a_thread(
        move || {
            let mut gauge = Gauge::new(&name, &data);
            move || gauge.measure()
        },
        every,
    )
}

/// Whoever measures is made there as well: a disk that hangs must cost neither the lease nor the start.
fn on_a_thread<M: FnMut() -> Figures>(
    make: impl FnOnce() -> M + Send + 'static,
    every: Duration,
) -> Measured {
    let (told, figures) = watch::channel(None);
    thread::spawn(move || {
        let mut measure = make();
        while told.send(Some(measure())).is_ok() {
            thread::sleep(every);
        }
    });
    figures
}

/// The units of the protocol.
const MB: u64 = 1_000_000;

/// Measures what the first form of the protocol reports, in its units. What a system does not tell counts as
/// nothing, and its host as a bad one.
struct Gauge {
    name: Arc<str>,
    data: PathBuf,
    system: Option<System>,
    networks: Option<Networks>,
    disks: Option<Disks>,
    measured: Instant,
    /// The most that was ever seen to pass in a second. No crate knows what a line could carry, so what it has
    /// carried is the measure.
    most: u64,
}

impl Gauge {
    fn new(name: &str, data: &Path) -> Self {
        let mut system = System::new().ok();
        if let Some(system) = &mut system {
            // How busy it is, is a difference of two looks.
            system.refresh_cpu_usage();
        }
        Self {
            name: name.into(),
            data: data.canonicalize().unwrap_or_else(|_| data.to_owned()),
            system,
            networks: Networks::new_with_refreshed_list().ok(),
            disks: Disks::new_with_refreshed_list().ok(),
            measured: Instant::now(),
            most: 0,
        }
    }

    /// The figures since the last time.
    fn measure(&mut self) -> Figures {
        let span = self.measured.elapsed();
        self.measured = Instant::now();
        let rate = per_second(self.moved(), span.as_millis());
        self.most = self.most.max(rate);
        let (cpu_percent, ram_used, ram_total) = self.load();
        Figures {
            name: Arc::clone(&self.name),
            cpu_percent,
            ram_used_mb: ram_used / MB,
            ram_total_mb: ram_total / MB,
            bandwidth_mb: self.most.saturating_sub(rate) / MB,
            disk_free_gb: self.disk_free() / (1000 * MB),
        }
    }

    /// How busy the processors are, and how much memory is used, of how much.
    fn load(&mut self) -> (u32, u64, u64) {
        let Some(system) = &mut self.system else { return (100, 0, 0) };
        system.refresh_cpu_usage();
        system.refresh_memory();
        (percent(system.global_cpu_usage()), system.used_memory(), system.total_memory())
    }

    /// The bytes that have passed since the last look.
    fn moved(&mut self) -> u64 {
        let Some(networks) = &mut self.networks else { return 0 };
        networks.refresh(true);
        let outside = networks.iter().filter(|(name, _)| *name != "lo");
        outside.map(|(_, network)| network.received().saturating_add(network.transmitted())).sum()
    }

    /// The free space where the data folder lies.
    fn disk_free(&mut self) -> u64 {
        let Some(disks) = &mut self.disks else { return 0 };
        disks.refresh(true);
        let holds = |disk: &&sysinfo::Disk| self.data.starts_with(disk.mount_point());
        let nearest = disks.iter().filter(holds).max_by_key(|disk| disk.mount_point().as_os_str().len());
        nearest.map_or(0, sysinfo::Disk::available_space)
    }
}

fn per_second(bytes: u64, ms: u128) -> u64 {
    u64::try_from(u128::from(bytes) * 1000 / ms.max(1)).unwrap_or(u64::MAX)
}

fn percent(usage: f32) -> u32 {
    // Between 0 and 100 by its documentation; whatever else it were would count as busy.
    if usage.is_finite() { usage.round().clamp(0.0, 100.0) as u32 } else { 100 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_hangs_holds_up_nobody_but_the_figures() {
        let (works, hangs) = std::sync::mpsc::channel();
        let make = move || {
            hangs.recv().expect("it is mended");
            move || {
                hangs.recv().expect("it is mended");
                Figures { cpu_percent: 37, ..Figures::default() }
            }
        };
        // Nothing of it is called on this thread, or the test would never end.
        let mut figures = on_a_thread(make, Duration::ZERO);
        assert_eq!(*figures.borrow(), None);
        for _ in 0..2 {
            works.send(()).expect("the thread waits");
        }
        let measured = figures.wait_for(Option::is_some).await.expect("figures").clone();
        assert_eq!(measured.map(|figures| figures.cpu_percent), Some(37));
    }

    #[test]
    fn this_machine_has_figures_that_can_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let figures = Gauge::new("here", folder.path()).measure();
        assert_eq!(&*figures.name, "here");
        assert!(figures.cpu_percent <= 100);
        assert!(0 < figures.ram_used_mb && figures.ram_used_mb <= figures.ram_total_mb, "{figures:?}");
    }

    #[test]
    fn a_rate_is_never_more_than_can_be() {
        assert_eq!(per_second(5_000, 500), 10_000);
        assert_eq!(per_second(u64::MAX, 0), u64::MAX);
        assert_eq!((percent(12.6), percent(-1.0), percent(f32::NAN)), (13, 0, 100));
    }
}
