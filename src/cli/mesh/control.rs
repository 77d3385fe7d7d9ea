//! The control door: how a visitor in another terminal talks with the one who looks after the mesh.
//!
//! It listens on the loopback interface only and asks for a token that stands in `mesh.json`, so that
//! it does what the owner of the folder wishes, and nobody else on this machine.

use std::{io, path::Path, rc::Rc, time::Duration};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use super::{
    announce,
    error::MeshError,
    hall::Hall,
    order::{Answer, Order, Wish},
    record::Record,
};

/// The longest wish.
const LONGEST: u64 = 4096;
/// The longest answer: a report of all links of the largest mesh is far below.
const LONGEST_ANSWER: u64 = 4 << 20;
/// How long a visitor may take to say what he wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a wish may take to be granted: longer than the start or the end of a server.
const GRANTED: Duration = Duration::from_secs(90);
/// How long to wait when the system gives no socket.
const PAUSE: Duration = Duration::from_millis(200);

/// Hears visitors for ever.
pub(super) async fn hear(door: TcpListener, token: String, hall: Rc<Hall>) {
    loop {
        let Ok((socket, _)) = door.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let (token, hall) = (token.clone(), Rc::clone(&hall));
        // Whoever leaves in the middle does not want to know the answer.
        actix_rt::spawn(async move { receive(socket, &token, &hall).await });
    }
}

async fn receive(mut socket: TcpStream, token: &str, hall: &Hall) -> io::Result<()> {
    let (input, mut output) = socket.split();
    let mut line = Vec::new();
    let mut input = BufReader::new(input.take(LONGEST));
    timeout(PATIENCE, input.read_until(b'\n', &mut line)).await??;
    let answer = match serde_json::from_slice::<Wish>(&line) {
        Ok(wish) if verify_slices_are_equal(wish.token.as_bytes(), token.as_bytes()).is_ok() => {
            hall.obey(wish.order).await
        }
        Ok(_) => Answer::Refused("the token is wrong".to_owned()),
        Err(error) => Answer::Refused(format!("this is no wish: {error}")),
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    output.write_all(&text).await?;
    output.shutdown().await
}

/// Says to the one who looks after a folder what one wishes, and returns the answer.
pub(super) async fn ask(folder: &Path, order: Order) -> Result<Answer, MeshError> {
    let nobody = || MeshError::NotRunning(folder.to_owned(), announce::command(folder, "up"));
    let control = Record::read(folder)?.and_then(|record| record.control).ok_or_else(nobody)?;
    let mut socket = TcpStream::connect(control.address).await.map_err(|_| nobody())?;
    let wish = Wish { token: control.token, order };
    let mut text = serde_json::to_vec(&wish).map_err(io::Error::from)?;
    text.push(b'\n');
    socket.write_all(&text).await?;
    let mut answer = Vec::new();
    let mut socket = socket.take(LONGEST_ANSWER);
    let read = timeout(GRANTED, socket.read_to_end(&mut answer)).await;
    let late = |_| MeshError::Refused("the one who looks after the mesh does not answer".to_owned());
    read.map_err(late)??;
    let strange = |error| MeshError::Refused(format!("the answer is not understood: {error}"));
    match serde_json::from_slice(&answer).map_err(strange)? {
        Answer::Refused(problem) => Err(MeshError::Refused(problem)),
        answer => Ok(answer),
    }
}
