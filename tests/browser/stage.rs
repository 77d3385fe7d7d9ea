//! Where scenes are played: whether there is a browser at all, and one scene at a time.

use std::{env, io::Write as _, sync::LazyLock};

use tokio::sync::{Mutex, MutexGuard};

use crate::{
    chromium::{Chromium, Tools},
    visitor::Visitor,
};

static TOOLS: LazyLock<Result<Tools, String>> = LazyLock::new(Tools::at_hand);

/// Browsers and servers are many processes each, and a machine that is too busy makes every deadline a matter of luck.
static TURN: Mutex<()> = Mutex::const_new(());

/// The stage, for one scene.
pub(crate) struct Stage {
    tools: Tools,
    _turn: MutexGuard<'static, ()>,
}

/// Says something although the test passes.
fn say(text: &str) {
    // Unlike `eprintln`, this is not caught by the test harness. There is nobody to tell if it fails.
    let _ = writeln!(std::io::stderr(), "browser: {text}");
}

impl Stage {
    /// The stage, once it is free; nothing if there is no browser, unless somebody insists on one.
    pub(crate) async fn enter() -> Option<Self> {
        match &*TOOLS {
            Ok(tools) => Some(Self { tools: *tools, _turn: TURN.lock().await }),
            Err(why) => {
                let required = env::var("KITH_TEST_BROWSER").is_ok_and(|wish| wish == "required");
                assert!(!required, "no browser can be driven: {why}");
                say(&format!("SKIPPED, because no browser can be driven: {why}"));
                None
            }
        }
    }

    /// A browser that nobody has used before.
    pub(crate) async fn browser(&self) -> Chromium {
        Chromium::start(self.tools, &[]).await
    }

    /// The same with more flags.
    pub(crate) async fn browser_with(&self, flags: &[&str]) -> Chromium {
        Chromium::start(self.tools, flags).await
    }

    /// Somebody with a browser of her own, who has opened the page at a door and is online.
    pub(crate) async fn visitor(&self, url: &str) -> Visitor {
        let visitor = Visitor::before(self.browser().await);
        visitor.opens(url).await.comes_online().await
    }
}
