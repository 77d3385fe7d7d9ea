//! The page for people without a wide screen, without a mouse, and without eyes.

use serde_json::json;

use crate::{app::App, stage::Stage, talk::page, visitor::Visitor};

/// Parts that a person can use, as far as they can be seen, and that have no name for a screen reader.
const NAMELESS: &str =
    "return [...document.querySelectorAll('button, input, textarea, select, a, [role=log]')]
    .filter((part) => part.checkVisibility())
    .filter((part) => !(part.labels?.length > 0) && !part.ariaLabel && !part.getAttribute('aria-labelledby')
        && part.textContent.trim() === '' && !part.title)
    .map((part) => part.outerHTML)";

/// How far the page is wider than the screen.
const BEYOND: &str = "return document.documentElement.scrollWidth - window.innerWidth";

async fn has_screen(visitor: &Visitor, width: u32, height: u32, theme: &str) {
    let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
    visitor.browser.tool("Emulation.setDeviceMetricsOverride", size).await;
    let theme = json!({"features": [{"name": "prefers-color-scheme", "value": theme}]});
    visitor.browser.tool("Emulation.setEmulatedMedia", theme).await;
}

/// How bright what is behind the page and what is written on it are, from 0 to 255.
async fn brightness(visitor: &Visitor) -> (f64, f64) {
    let script = "const style = getComputedStyle(document.body);
        const bright = (colour) => {
            const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
            return 0.3 * red + 0.6 * green + 0.1 * blue;
        };
        return [bright(style.backgroundColor), bright(style.color)]";
    visitor.asks(script, &[]).await
}

#[actix_web::test]
async fn on_a_phone_everything_is_within_reach() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let ben = stage.visitor(&page(&app)).await;
    let anna = stage.visitor(&page(&app)).await;
    has_screen(&anna, 390, 740, "light").await;
    let long = format!("https://example.org/{}", "x".repeat(300));
    for text in [&long, &"y".repeat(300)] {
        ben.says(text).await;
        anna.reads(text).await;
    }
    anna.until("the page is as wide as the screen", BEYOND, &[], |beyond: &i64| *beyond <= 0).await;
    anna.clicks("#menu").await;
    anna.until("so is the menu", BEYOND, &[], |beyond: &i64| *beyond <= 0).await;
    anna.turns_to(&ben.fingerprint).await;
    anna.says("from my phone").await;
    anna.reads("from my phone").await;
    ben.waits_for_unread("private:").await;
    let reachable = "const box = document.querySelector('#say').getBoundingClientRect();
        return box.bottom <= window.innerHeight && box.right <= window.innerWidth";
    anna.until("there is room to type", reachable, &[], |is: &bool| *is).await;
    anna.shows("phone.png").await;
    anna.leaves().await;
    ben.leaves().await;
}

#[actix_web::test]
async fn the_page_is_used_by_keyboard_and_read_aloud() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let ben = stage.visitor(&page(&app)).await;
    let anna = stage.visitor(&page(&app)).await;
    anna.knows(&ben.fingerprint).await;
    anna.clicks("#introductions-panel summary").await;
    anna.clicks("#identity-panel summary").await;
    let nameless: Vec<String> = anna.asks(NAMELESS, &[]).await;
    assert_eq!(nameless, Vec::<String>::new());
    // From the top to the place where one types, and to somebody else, without a mouse.
    let focused = "return document.activeElement.id || document.activeElement.closest('[data-fingerprint]')
        ?.dataset.fingerprint || ''";
    for wanted in ["say", &ben.fingerprint] {
        let mut steps = 0;
        while anna.asks::<String>(focused, &[]).await != wanted {
            steps += 1;
            assert!(steps < 60, "{wanted} is not reached by the keyboard");
            anna.presses("Tab").await;
        }
    }
    anna.presses("Enter").await;
    anna.is_in("private:").await;
    anna.until("she can type at once", focused, &[], |id: &String| id == "say").await;
    // Light and dark, what is written can be told from what is behind it.
    for (theme, is_dark) in [("light", false), ("dark", true)] {
        has_screen(&anna, 1100, 700, theme).await;
        let (behind, text) = brightness(&anna).await;
        assert!((behind - text).abs() > 120.0, "{theme}: {text} on {behind}");
        assert_eq!(behind < text, is_dark, "{theme}: {text} on {behind}");
    }
    anna.shows("dark.png").await;
    anna.leaves().await;
    ben.leaves().await;
}
