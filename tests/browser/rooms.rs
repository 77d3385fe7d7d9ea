//! The page's own modules for rooms, played against the recorded conversations in `tests/vectors/rooms`: what they ask is what
//! stands there, and what they make of each frame is what a reader of the recording makes of it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{app::App, stage::Stage, talk::page, visitor::Visitor};

const CONVERSATION: &str = include_str!("../vectors/rooms/conversation.jsonl");
const DOORS: &str = include_str!("../vectors/rooms/doors.jsonl");
const REFUSED: &str = include_str!("../vectors/rooms/refused.jsonl");

/// Plays one member's frames. The page chooses tickets of its own, so answers get those of its questions; an answer to
/// something that the page did not ask is left out. After each frame it tells what has happened and who is there.
const PLAY: &str = "const [frames, me] = arguments;
    const [{ Asking }, { Rooms, readLine }] =
        await Promise.all(['asking', 'rooms'].map((name) => import(`/web/${name}.js`)));
    const asking = new Asking();
    let [asked, events] = [null, []];
    const rooms = new Rooms(asking, (frame) => (asked = JSON.parse(frame)), (event) => events.push(event));
    const tickets = new Map();
    const note = (kind, what) => events.push({ kind, what });
    const ask = ({ kith, room, text, before, most }) => {
        if (kith === 'enter') rooms.enter(room);
        if (kith === 'leave') rooms.leave(room);
        if (kith === 'say') rooms.say(room, text, (id, words) => note('answered', id ?? words));
        if (kith === 'rooms') rooms.list((names) => note('listed', names));
        // The page reads on only where there is more, so pages of others are asked for as it asks for receipts.
        const page = (answer) => note('page', answer.lines?.map(readLine));
        if (kith === 'history') asked = JSON.parse(asking.ask(kith, { room, before, most }, page));
    };
    return frames.filter(({ from, to }) => [from, to].includes(me)).map(({ from, frame }) => {
        [asked, events] = [null, []];
        if (from === me) {
            ask(frame);
            tickets.set(frame.ticket, asked?.ticket);
        } else {
            const heard = { ...frame, ...(frame.ticket !== undefined && { ticket: tickets.get(frame.ticket) }) };
            if (!asking.answer(heard)) rooms.hear(heard);
        }
        return { asked, events, guests: rooms.guests('garden').map(({ key }) => key), ready: rooms.isReady('garden') };
    })";

/// What the page made of a frame.
#[derive(Deserialize)]
struct Step {
    /// What it asked.
    asked: Option<Value>,
    /// What it told whoever shows it.
    events: Vec<Value>,
    /// Who is in the room `garden`, by the keys under which the page knows them.
    guests: Vec<String>,
    /// Whether something can be said there.
    ready: bool,
}

fn read(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Under which key the page knows somebody.
fn key(of: &Value) -> String {
    let word = |name: &str| of[name].as_str().expect("a word").to_owned();
    match word("dialect").as_str() {
        "olaf" => word("member"),
        other => format!("{other}:{}", word("member")),
    }
}

/// A line as the page reads it, without what is for eyes alone.
fn line(of: &Value) -> Value {
    let by = if of["by"].is_null() { Value::Null } else { json!(key(&of["by"])) };
    json!([of["id"], of["at"], by, of["kind"] == "topic", of["text"]])
}

/// The same of a line that the page has read.
fn shown(of: &Value) -> Value {
    json!([of["id"], of["at"], of["by"]["key"], of["isTopic"], of["text"]])
}

/// Whoever reads the recording: what the page should know after each frame.
#[derive(Default)]
struct Reader {
    /// Numbers and keys of those in the room `garden`.
    guests: Vec<(Value, String)>,
    you: Value,
    is_in: bool,
    /// Lines that have been shown, or whose answer was.
    known: BTreeSet<String>,
}

impl Reader {
    /// What happens, as the page should tell it.
    fn hears(&mut self, frame: &Value) -> Vec<Value> {
        let texts = |value: &Value| value.as_array().cloned().unwrap_or_default();
        match frame["kith"].as_str().expect("a word") {
            "rooms" => {
                let names =
                    texts(&frame["rooms"]).iter().map(|card| card["room"].clone()).collect::<Vec<_>>();
                vec![json!({"kind": "listed", "what": names})]
            }
            "history" => {
                vec![
                    json!({"kind": "page", "what": texts(&frame["lines"]).iter().map(line).collect::<Vec<_>>()}),
                ]
            }
            "said" => {
                self.known.insert(frame["id"].as_str().expect("an id").to_owned());
                vec![json!({"kind": "answered", "what": frame["id"]})]
            }
            "entered" => {
                if frame["room"] == "garden" {
                    (self.is_in, self.you) = (true, frame["you"].clone());
                    let guest = |guest: &Value| (guest["number"].clone(), key(guest));
                    self.guests = texts(&frame["guests"]).iter().map(guest).collect();
                }
                let mut told = vec![json!({"kind": "entered", "topic": frame["topic"]})];
                told.extend(texts(&frame["history"]).iter().filter_map(|line| self.line(line)));
                told.extend([json!({"kind": "reach", "more": frame["more"]}), json!({"kind": "ready"})]);
                told
            }
            "left" => vec![json!({"kind": "left"})],
            "event" => self.happens(frame),
            _ => Vec::new(),
        }
    }

    fn happens(&mut self, frame: &Value) -> Vec<Value> {
        let (guest, number) = (&frame["guest"], frame["guest"]["number"].clone());
        match frame["event"].as_str().expect("a word") {
            "said" => return self.line(&frame["line"]).into_iter().collect(),
            "topic" => return vec![json!({"kind": "topic", "topic": frame["topic"]})],
            "withdrawn" => return vec![json!({"kind": "withdrawn", "line": frame["line"]})],
            "came" => self.guests.push((number, key(guest))),
            "renamed" => {
                let place = self.guests.iter_mut().find(|(known, _)| *known == number);
                place.expect("somebody who is there").1 = key(guest);
            }
            "closed" => return self.out(),
            "expelled" if number == self.you => return self.out(),
            _ => self.guests.retain(|(known, _)| *known != number),
        }
        vec![json!({"kind": "guests"})]
    }

    fn out(&mut self) -> Vec<Value> {
        (self.is_in, self.guests) = (false, Vec::new());
        vec![json!({"kind": "out"})]
    }

    fn line(&mut self, of: &Value) -> Option<Value> {
        let id = of["id"].as_str().expect("an id").to_owned();
        self.known.insert(id).then(|| json!({"kind": "line", "line": line(of)}))
    }
}

/// What the page told, without the room, without words for people, and with lines as [`line`] writes them.
fn told(event: &Value) -> Value {
    let mut event = event.clone();
    let parts = event.as_object_mut().expect("an event");
    for name in ["room", "words", "isAgain"] {
        parts.remove(name);
    }
    if event["kind"] == "line" {
        event["line"] = shown(&event["line"]);
    }
    if event["kind"] == "page"
        && let Some(lines) = event["what"].as_array()
    {
        event["what"] = lines.iter().map(shown).collect();
    }
    event
}

/// A question without its ticket, and without what means nothing.
fn question(frame: &Value) -> Value {
    let mut frame = frame.clone();
    let keys = frame.as_object_mut().expect("a frame");
    keys.retain(|name, value| !["ticket", "unknown"].contains(&name.as_str()) && !value.is_null());
    frame
}

async fn opened(stage: &Stage, app: &App) -> Visitor {
    Visitor::before(stage.browser().await).opens(&page(app)).await
}

#[actix_web::test]
async fn a_recorded_conversation_is_asked_and_understood_as_it_stands() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let anna = opened(&stage, &app).await;
    let frames: Vec<Value> =
        read(CONVERSATION).into_iter().filter(|line| line["frame"].is_object()).collect();
    for (me, unasked) in [("anna", 0), ("ben", 1)] {
        let steps: Vec<Step> = anna.asks_in_time(PLAY, &[json!(frames), json!(me)]).await;
        let own: Vec<&Value> = frames.iter().filter(|line| line["from"] == me || line["to"] == me).collect();
        assert!(own.len() == steps.len() && own.len() > 10, "{}", own.len());
        let (mut reader, mut skipped) = (Reader::default(), Vec::new());
        for (line, step) in own.iter().zip(steps) {
            let frame = &line["frame"];
            let events: Vec<Value> = step.events.iter().map(told).collect();
            if line["from"] == me {
                match step.asked {
                    Some(asked) => assert_eq!(question(&asked), question(frame), "{me}: {frame}"),
                    // She is out already, so there is nothing to ask.
                    None => {
                        assert_eq!(events, [json!({"kind": "left"})], "{me}: {frame}");
                        skipped.push(frame["ticket"].clone());
                    }
                }
            } else if frame["kith"] == "refused" && !skipped.contains(&frame["ticket"]) {
                // What was asked about a room one is in leaves her there; words for people are looked at below.
                assert_eq!(events.len(), 1, "{me}: {frame}: {events:?}");
            } else {
                assert_eq!(events, reader.hears(frame), "{me}: {frame}");
            }
            let there: Vec<&String> = reader.guests.iter().map(|(_, key)| key).collect();
            assert_eq!(step.guests.iter().collect::<Vec<_>>(), there, "{me}: {frame}");
            assert_eq!(step.ready, reader.is_in, "{me}: {frame}");
        }
        assert_eq!(skipped.len(), unasked, "{me}");
    }
    anna.leaves().await;
}

#[actix_web::test]
async fn recorded_refusals_have_words_and_doors_of_a_home_are_no_event() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let anna = opened(&stage, &app).await;
    let answers: Vec<Value> = read(REFUSED).iter().map(|line| line["answer"].clone()).collect();
    let script = "const [answers] = arguments;
        const [{ Asking, why }, { Rooms }] =
            await Promise.all(['asking', 'rooms'].map((name) => import(`/web/${name}.js`)));
        return answers.map((answer) => {
            const [asking, events] = [new Asking(), []];
            const rooms = new Rooms(asking, () => true, (event) => events.push(event));
            rooms.enter('garden');
            if (!asking.answer(answer)) rooms.hear(answer);
            return [events, events.every(({ words }) => words !== why('?')), rooms.names.length];
        })";
    let found: Vec<(Vec<Value>, bool, usize)> = anna.asks_in_time(script, &[json!(answers)]).await;
    assert!(answers.len() > 20 && found.len() == answers.len());
    for (answer, (events, has_words, rooms)) in answers.iter().zip(found) {
        // The first question of a page has the ticket 1; an answer to none is nobody's.
        let is_hers = answer["ticket"] == 1;
        assert_eq!((events.len(), rooms), if is_hers { (1, 0) } else { (0, 1) }, "{answer}: {events:?}");
        assert!(has_words, "{answer}: {events:?}");
        for event in events {
            assert_eq!((&event["kind"], &event["isOut"]), (&json!("refused"), &json!(true)), "{answer}");
        }
    }
    let steps: Vec<Step> = anna.asks_in_time(PLAY, &[json!(read(DOORS)), json!("anna")]).await;
    assert!(steps.iter().any(|step| step.asked.is_some()));
    assert!(steps.iter().all(|step| step.events.is_empty() && step.guests.is_empty() && !step.ready));
    anna.leaves().await;
}
