//! Links as people like to see them: a ring with its chords for a few servers, a matrix for any number.
//!
//! Every character is one column wide, so that rows stay straight in any terminal.

use std::{collections::BTreeMap, f64::consts::PI};

use crate::cli::paint::{Colour, Paint};

/// The most servers that a ring can show without chords becoming a carpet.
const RING: usize = 6;
/// The widest matrix with a state in words; beyond it, each link is one sign.
const WORDS: usize = 100;
/// The canvas of a ring.
const WIDTH: usize = 66;
const HEIGHT: usize = 15;

/// How a server sees one of its links.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::cli) struct Seen {
    /// One of the stable names of the API, or `unknown`.
    pub(in crate::cli) state: String,
    pub(in crate::cli) round_trip_ms: Option<f64>,
    /// Whether we cut its line.
    pub(in crate::cli) cut: bool,
    /// How much we slowed it, each way.
    pub(in crate::cli) delay_ms: u64,
}

/// Links by the place of the one who sees it and the place of the other.
pub(in crate::cli) type Lines = BTreeMap<(usize, usize), Seen>;

impl Seen {
    fn colour(&self) -> Colour {
        match self.state.as_str() {
            "up" => Colour::Green,
            "dialling" | "greeting" | "suspect" => Colour::Yellow,
            "down" | "refused" | "banned" => Colour::Red,
            _ => Colour::Dim,
        }
    }

    /// One sign for its state.
    fn sign(&self) -> char {
        match self.state.as_str() {
            "up" => '●',
            "greeting" => '◐',
            "dialling" => '○',
            "suspect" => '?',
            "down" => '×',
            "refused" => '!',
            "banned" => '#',
            _ => '-',
        }
    }

    /// What was done to its line, in one sign.
    fn mark(&self) -> char {
        match (self.cut, self.delay_ms) {
            (true, _) => '/',
            (false, 1..) => '~',
            (false, 0) => ' ',
        }
    }

    /// Its state and what was done to its line, in words.
    fn words(&self) -> String {
        let mut words = match self.round_trip_ms {
            Some(span) if self.state == "up" => format!("{} {}", self.sign(), milliseconds(span)),
            _ => format!("{} {}", self.sign(), self.state),
        };
        if self.cut {
            words.push_str(" /cut");
        }
        if self.delay_ms > 0 {
            words.push_str(&format!(" ~{} ms", self.delay_ms));
        }
        words
    }

    /// How bad it is; of two ends that see it differently, the worse one is shown.
    fn badness(&self) -> u8 {
        match self.state.as_str() {
            "up" => 0,
            "greeting" => 1,
            "dialling" => 2,
            "suspect" => 3,
            "refused" | "banned" => 5,
            _ => 4,
        }
    }
}

/// A span with as many digits as matter.
pub(in crate::cli) fn milliseconds(span: f64) -> String {
    match span {
        span if span < 1.0 => format!("{span:.2} ms"),
        span if span < 10.0 => format!("{span:.1} ms"),
        span => format!("{span:.0} ms"),
    }
}

/// Everybody's view of everybody: who sees it stands at the left.
pub(in crate::cli) fn matrix(names: &[String], lines: &Lines, paint: Paint) -> String {
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
    let label = longest(&mut names.iter().map(|name| name.chars().count()));
    let cell = longest(&mut lines.values().map(|seen| seen.words().chars().count())).max(label);
    if label + names.len() * (cell + 2) <= WORDS {
        return table(names, lines, paint, (label, cell), &|name, _| name.to_owned(), &Seen::words);
    }
    let heads = |_: &str, at: usize| (at + 1).to_string();
    let short = |seen: &Seen| format!("{}{}", seen.sign(), seen.mark());
    let numbered: Vec<String> =
        names.iter().enumerate().map(|(at, name)| format!("{:>2} {name}", at + 1)).collect();
    let grid = table(&numbered, lines, paint, (label + 3, 2), &heads, &short);
    format!("{grid}\n\n{}", legend(paint))
}

/// Rows and columns; the sizes are those of a label and of a cell.
fn table(
    names: &[String],
    lines: &Lines,
    paint: Paint,
    (label, cell): (usize, usize),
    head: &dyn Fn(&str, usize) -> String,
    text: &dyn Fn(&Seen) -> String,
) -> String {
    let gap = if cell > 2 { "  " } else { " " };
    let padded = |text: &str, width: usize| {
        let blank = " ".repeat(width.saturating_sub(text.chars().count()));
        (text.to_owned(), blank)
    };
    let mut rows = Vec::with_capacity(names.len() + 1);
    let heads = names.iter().enumerate().map(|(at, name)| {
        let (head, blank) = padded(&head(name, at), cell);
        format!("{gap}{}{blank}", paint.on(Colour::Bold, &head))
    });
    rows.push(format!("{}{}", " ".repeat(label), heads.collect::<String>()));
    for (from, name) in names.iter().enumerate() {
        let (head, blank) = padded(name, label);
        let cells = (0..names.len()).map(|to| {
            let (text, colour) = match lines.get(&(from, to)) {
                Some(seen) => (text(seen), seen.colour()),
                None => ("·".to_owned(), Colour::Dim),
            };
            let (text, blank) = padded(&text, cell);
            format!("{gap}{}{blank}", paint.on(colour, &text))
        });
        rows.push(format!("{}{blank}{}", paint.on(Colour::Bold, &head), cells.collect::<String>()));
    }
    rows.iter().map(|row| row.trim_end()).collect::<Vec<_>>().join("\n")
}

/// What the signs mean.
fn legend(paint: Paint) -> String {
    let states = ["up", "greeting", "dialling", "suspect", "down", "refused", "banned"];
    let states = states.map(|state| {
        let seen = Seen { state: state.to_owned(), ..Seen::default() };
        format!("{} {state}", paint.on(seen.colour(), &seen.sign().to_string()))
    });
    format!("{}   / cut   ~ slow", states.join("   "))
}

/// Servers on a ring, and a chord for each pair; nothing if there are too few or too many for it.
pub(in crate::cli) fn ring(names: &[String], lines: &Lines, paint: Paint) -> Option<String> {
    if !(2..=RING).contains(&names.len()) {
        return None;
    }
    let mut canvas = Canvas::new();
    let places: Vec<(f64, f64)> = (0..names.len()).map(|at| place(at, names.len())).collect();
    let pairs = || (0..names.len()).flat_map(|one| (one + 1..names.len()).map(move |other| (one, other)));
    let worse = |pair: (usize, usize)| {
        let ends = [lines.get(&pair), lines.get(&(pair.1, pair.0))];
        ends.into_iter().flatten().max_by_key(|seen| seen.badness())
    };
    for (one, other) in pairs() {
        let seen = worse((one, other));
        canvas.chord(places[one], places[other], seen);
    }
    // Only where chords do not cross is there room for words.
    if names.len() <= 3 {
        for (one, other) in pairs() {
            if let Some(seen) = worse((one, other)) {
                let middle =
                    ((places[one].0 + places[other].0) / 2.0, (places[one].1 + places[other].1) / 2.0);
                canvas.write(middle, &seen.words(), Some(seen.colour()));
            }
        }
    }
    for (name, place) in names.iter().zip(&places) {
        canvas.write(*place, name, Some(Colour::Bold));
    }
    Some(canvas.text(paint))
}

/// Where a server stands: the first one on top, or at the left if there are two.
fn place(at: usize, count: usize) -> (f64, f64) {
    let first = if count == 2 { -PI } else { -PI / 2.0 };
    let angle = first + 2.0 * PI * at as f64 / count as f64;
    let (middle, half) = ((WIDTH / 2) as f64, (HEIGHT / 2) as f64);
    (middle + (middle - 8.0) * angle.cos(), half + half * angle.sin())
}

/// The nearest row. Two servers at the same height stay there, whatever the last digit of a sine is.
fn nearest(y: f64) -> usize {
    (y - 1e-6).round() as usize
}

/// Characters with colours.
struct Canvas(Vec<Vec<(char, Option<Colour>)>>);

impl Canvas {
    fn new() -> Self {
        Self(vec![vec![(' ', None); WIDTH]; HEIGHT])
    }

    /// A line of dots; thinner where nothing passes.
    fn chord(&mut self, from: (f64, f64), to: (f64, f64), seen: Option<&Seen>) {
        let apart = match seen {
            Some(seen) if seen.cut || seen.state == "down" || seen.state == "refused" => 4.0,
            _ => 2.0,
        };
        let (across, down) = (to.0 - from.0, to.1 - from.1);
        // A character is about twice as high as it is wide.
        let dots = (across.hypot(2.0 * down) / apart).round().max(1.0);
        for dot in 0..=dots as usize {
            let part = dot as f64 / dots;
            let at = (from.0 + across * part, from.1 + down * part);
            self.put((at.0.round() as usize, nearest(at.1)), '·', seen.map(Seen::colour));
        }
    }

    /// A text with its middle at a place, with a blank on either side.
    fn write(&mut self, (x, y): (f64, f64), text: &str, colour: Option<Colour>) {
        let text = format!(" {text} ");
        let length = text.chars().count();
        let left = (x - length as f64 / 2.0).round().clamp(0.0, WIDTH.saturating_sub(length) as f64);
        for (at, letter) in text.chars().enumerate() {
            self.put((left as usize + at, nearest(y)), letter, colour);
        }
    }

    fn put(&mut self, (x, y): (usize, usize), letter: char, colour: Option<Colour>) {
        if let Some(cell) = self.0.get_mut(y).and_then(|row| row.get_mut(x)) {
            *cell = (letter, colour);
        }
    }

    fn text(&self, paint: Paint) -> String {
        let rows = self.0.iter().map(|row| {
            let end = row.iter().rposition(|(letter, _)| *letter != ' ').map_or(0, |last| last + 1);
            let cells = row[..end].chunk_by(|one, other| one.1 == other.1);
            cells
                .map(|run| {
                    let text: String = run.iter().map(|(letter, _)| letter).collect();
                    run[0].1.map_or_else(|| text.clone(), |colour| paint.on(colour, &text))
                })
                .collect::<String>()
        });
        rows.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (1..=count).map(|number| format!("server-{number}")).collect()
    }

    fn up(span: f64) -> Seen {
        Seen { state: "up".to_owned(), round_trip_ms: Some(span), ..Seen::default() }
    }

    fn full(count: usize) -> Lines {
        let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
        pairs.filter(|(from, to)| from != to).map(|pair| (pair, up(0.2))).collect()
    }

    #[test]
    fn three_servers_are_shown_in_words() {
        let mut lines = full(3);
        lines.insert((0, 2), Seen { state: "down".into(), cut: true, ..Seen::default() });
        lines.insert((1, 0), Seen { delay_ms: 200, ..up(401.2) });
        let text = matrix(&names(3), &lines, Paint::NONE);
        let expected = "\
          server-1             server-2             server-3
server-1  ·                    ● 0.20 ms            × down /cut
server-2  ● 401 ms ~200 ms     ·                    ● 0.20 ms
server-3  ● 0.20 ms            ● 0.20 ms            ·";
        let words = |text: &str| {
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(words(&text), words(expected), "{text}");
        let ring = ring(&names(3), &lines, Paint::NONE).expect("a ring");
        for word in ["server-1", "server-2", "server-3", "× down /cut", "● 401 ms ~200 ms", "·"] {
            assert!(ring.contains(word), "{word}\n{ring}");
        }
        assert!(ring.lines().all(|line| line.chars().count() <= WIDTH), "{ring}");
    }

    #[test]
    fn thirty_servers_fit_a_screen() {
        let mut lines = full(30);
        lines.insert((0, 29), Seen { state: "refused".into(), ..Seen::default() });
        lines.insert((29, 0), Seen { cut: true, ..up(1.0) });
        let text = matrix(&names(30), &lines, Paint::NONE);
        assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
        assert_eq!(text.lines().count(), 33, "{text}");
        let first = text.lines().nth(1).expect("a row");
        assert!(first.starts_with(" 1 server-1") && first.ends_with('!'), "{first}");
        let last = text.lines().nth(30).expect("a row");
        assert!(last.starts_with("30 server-30 ●/"), "{last}");
        assert!(text.ends_with("~ slow"), "{text}");
        assert_eq!(ring(&names(30), &lines, Paint::NONE), None);
    }

    #[test]
    fn rings_of_every_size_name_everybody() {
        for count in 2..=RING {
            let text = ring(&names(count), &Lines::new(), Paint::NONE).expect("a ring");
            for name in names(count) {
                assert!(text.contains(&name), "{name}\n{text}");
            }
        }
        assert_eq!(ring(&names(1), &Lines::new(), Paint::NONE), None);
    }

    #[test]
    fn spans_have_the_digits_that_matter() {
        assert_eq!([0.214, 3.26, 401.7].map(milliseconds), ["0.21 ms", "3.3 ms", "402 ms"]);
    }
}
