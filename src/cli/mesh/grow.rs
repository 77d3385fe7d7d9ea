//! One more server in a running mesh: nobody is restarted, the others are told at their admin doors.

use futures_util::future::join_all;

use super::{MOST, child::Act, hall::Hall, plan, plan::Plan};
use crate::{
    cli::admin::{
        access::token_in,
        api::{Api, Trouble},
    },
    identity::Identity,
};

impl Hall {
    /// Starts one more server.
    pub(super) async fn add(&self) -> Result<String, String> {
        let _alone = self.growing.lock().await;
        let others = self.servers();
        let number = others.last().map_or(1, |server| server.plan.number + 1);
        if number > MOST {
            return Err(format!("{MOST} servers are enough"));
        }
        let key = self.key(number).await?;
        self.move_in(number, vec![key], None).map_err(|error| error.to_string())?;
        self.remember_newcomers().map_err(|error| error.to_string())?;
        let servers = self.servers();
        let Some(new) = servers.last() else { return Err("there is no server".to_owned()) };
        let said = new.act(Act::Start).await?;
        let told = others.iter().map(|other| async {
            let outcome = self.tell(&other.plan, &new.plan).await;
            if let Err(trouble) = &outcome {
                self.log.say(format!("{} does not take {}: {trouble}", other.plan.name, new.plan.name));
            }
            outcome.is_ok()
        });
        let told = join_all(told).await.into_iter().filter(|told| *told).count();
        Ok(format!("{said}, at ws://{}; {told} of {} neighbours were told", new.plan.main, others.len()))
    }

    /// The digest that names its key, which is made now if there is none.
    async fn key(&self, number: u8) -> Result<String, String> {
        let data = plan::data(&self.folder, number);
        let made = actix_rt::task::spawn_blocking(move || Identity::open(&data)).await;
        let identity = made.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        Ok(identity.server.public().id().hex())
    }

    /// Tells a server about a new one. Whoever is away reads it in its settings.
    async fn tell(&self, server: &Plan, new: &Plan) -> Result<(), Trouble> {
        let Some(port) = self.port(server.number, new.number) else { return Ok(()) };
        let api = Api::new(&format!("http://{}", server.admin), &token_in(&server.data)?)?;
        api.post_json("/api/v1/peers", &Plan::peer_facts(new, port)).await.map(drop)
    }
}
