//! Who is best, without jumps and without haste.
//!
//! A host's score grows evenly with what it has free: six parts processor, four parts memory. It is smoothed over
//! five reports, and somebody better is only worth a move if it stays clearly better for a while, because a
//! leader is busy by leading and a single busy second means nothing.

use super::{NodeId, numbers::Numbers, report::Figures};

/// Thousandths of a per cent: 100,000 is a host with nothing to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score(pub u32);

impl Score {
    /// What these figures are worth by themselves.
    #[must_use]
    pub fn of(figures: &Figures) -> Self {
        let cpu = u64::from(100 - figures.cpu_percent.min(100)) * 1000;
        let ram_free = figures.ram_total_mb.saturating_sub(figures.ram_used_mb);
        // Whoever does not say what it has, has none free.
        let ram = u128::from(ram_free) * 100_000 / u128::from(figures.ram_total_mb.max(1));
        let ram = u64::try_from(ram).unwrap_or(0);
        Self(u32::try_from((cpu * 6 + ram * 4) / 10).unwrap_or(0))
    }

    /// The mean that moves a third of the way with every report: as good as one over five reports.
    #[must_use]
    pub fn smoothed(self, latest: Self) -> Self {
        Self(u32::try_from((u64::from(self.0) * 2 + u64::from(latest.0)) / 3).unwrap_or(0))
    }

    /// Whether this is better than `other` by so many per cent of it.
    #[must_use]
    pub fn leads(self, other: Self, percent: u32) -> bool {
        u64::from(self.0) * 100 >= u64::from(other.0) * (100 + u64::from(percent)) && self > other
    }
}

/// Who may soon be asked to lead instead, and for how many pulses it has been better.
#[derive(Clone, Copy, Debug, Default)]
pub struct Challenger {
    best: Option<NodeId>,
    streak: u32,
}

impl Challenger {
    /// One pulse: whoever is best among those that may be chosen, beside the leader's own score. Says when it has
    /// been clearly better for long enough.
    pub fn pulse(
        &mut self,
        best: Option<(NodeId, Score)>,
        leader: Score,
        numbers: &Numbers,
    ) -> Option<NodeId> {
        let better = best.filter(|(_, score)| score.leads(leader, numbers.lead_percent)).map(|(id, _)| id);
        self.streak = match better {
            Some(_) if better == self.best => self.streak.saturating_add(1),
            Some(_) => 1,
            None => 0,
        };
        self.best = better;
        better.filter(|_| self.streak >= numbers.lead_pulses)
    }

    /// Begins anew.
    pub const fn reset(&mut self) {
        *self = Self { best: None, streak: 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(cpu_percent: u32, ram_used_mb: u64) -> Figures {
        Figures { cpu_percent, ram_used_mb, ram_total_mb: 16_000, ..Figures::default() }
    }

    #[test]
    fn a_score_has_no_gaps_and_survives_every_figure() {
        assert_eq!(Score::of(&figures(0, 0)), Score(100_000));
        assert_eq!(Score::of(&figures(100, 16_000)), Score(0));
        let falls = |one: &Figures, next: &Figures| Score::of(one) > Score::of(next);
        assert!((0..100).all(|cpu| falls(&figures(cpu, 8_000), &figures(cpu + 1, 8_000))));
        assert!((0..15_990).step_by(10).all(|ram| falls(&figures(50, ram), &figures(50, ram + 10))));
        let absurd =
            Figures { cpu_percent: u32::MAX, ram_used_mb: u64::MAX, ram_total_mb: 1, ..Figures::default() };
        assert_eq!(Score::of(&absurd), Score(0));
        assert_eq!(Score::of(&Figures { ram_total_mb: u64::MAX, ..Figures::default() }), Score(100_000));
        assert_eq!(Score::of(&Figures::default()), Score(60_000), "no memory is none free");
    }

    #[test]
    fn a_single_busy_second_hardly_counts() {
        let calm = Score::of(&figures(10, 4_000));
        let after = calm.smoothed(Score::of(&figures(100, 4_000)));
        assert!(after.0 > calm.0 * 7 / 10, "{calm:?} {after:?}");
        let mut score = calm;
        for _ in 0..20 {
            score = score.smoothed(Score::of(&figures(100, 4_000)));
        }
        assert!(score.0.abs_diff(Score::of(&figures(100, 4_000)).0) < 50, "{score:?}");
    }

    #[test]
    fn only_who_stays_clearly_better_for_five_pulses_is_worth_a_move() {
        let numbers = Numbers::default();
        let (one, two) = (NodeId(1), NodeId(2));
        let leader = Score(50_000);
        let mut challenger = Challenger::default();
        let mut pulse = |best| challenger.pulse(best, leader, &numbers);
        for _ in 0..20 {
            assert_eq!(pulse(Some((one, Score(57_499)))), None, "not by 15 per cent");
        }
        for _ in 0..4 {
            assert_eq!(pulse(Some((one, Score(57_500)))), None);
        }
        assert_eq!(pulse(Some((two, Score(60_000)))), None, "another one begins anew");
        for _ in 0..3 {
            assert_eq!(pulse(Some((two, Score(60_000)))), None);
        }
        assert_eq!(pulse(None), None);
        for _ in 0..4 {
            assert_eq!(pulse(Some((two, Score(60_000)))), None);
        }
        assert_eq!(pulse(Some((two, Score(60_000)))), Some(two));
        assert!(!Score(0).leads(Score(0), 15), "nobody is better than one that is as good");
    }
}
