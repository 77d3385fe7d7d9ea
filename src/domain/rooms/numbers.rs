//! The numbers by which guests are told apart.

/// They start here, as in the oldest protocol that has some.
const FIRST: u32 = 0x1000;

/// The numbers that were given. Each is given once; only when all were, those that nobody has any more are given again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    next: u32,
    were_all_given: bool,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { next: FIRST, were_all_given: false }
    }
}

impl Numbers {
    /// The next one. Whether somebody has a number is asked only where that may be.
    pub(super) fn give(&mut self, has_bearer: impl Fn(u32) -> bool) -> u32 {
        loop {
            let number = self.next;
            let was_given = self.were_all_given;
            let (next, is_over) = number.checked_add(1).map_or((FIRST, true), |next| (next, false));
            (self.next, self.were_all_given) = (next, was_given || is_over);
            if !was_given || !has_bearer(number) {
                return number;
            }
        }
    }

    /// So many are left before they begin anew.
    #[cfg(test)]
    pub(super) const fn with_left(left: u32) -> Self {
        Self { next: u32::MAX - left + 1, were_all_given: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_last_one_those_that_are_free_are_given_again() {
        let mut numbers = Numbers::with_left(2);
        let nobody = |_: u32| panic!("nobody has to be asked");
        assert_eq!([numbers.give(nobody), numbers.give(nobody)], [u32::MAX - 1, u32::MAX]);
        let has_bearer = |number| [FIRST, FIRST + 1, FIRST + 3].contains(&number);
        assert_eq!([numbers.give(has_bearer), numbers.give(has_bearer)], [FIRST + 2, FIRST + 4]);
    }
}
