//! Not reading what nobody wants: a body that its handler left alone.
//!
//! The HTTP library throws away the rest of a chunked body as soon as the handler lets go of it, however
//! long that takes; so a client that was refused could go on sending for ever. As long as somebody holds
//! the body it is not read, and after the answer the connection is closed instead. So we hold it.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage as _,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    middleware::Next,
    web::Bytes,
};
use futures_util::Stream;

/// A body that two can hold. Only the handler reads it.
#[derive(Clone)]
struct Shared(Rc<RefCell<Payload>>);

impl Stream for Shared {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

/// An answer that holds the body of its request until it is sent.
struct Held {
    answer: BoxBody,
    _body: Shared,
}

impl MessageBody for Held {
    type Error = Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(context).map_err(Into::into)
    }
}

/// Wraps an application.
pub(super) async fn hold(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let body = Shared(Rc::new(RefCell::new(payload)));
    request.set_payload(Payload::Stream { payload: Box::pin(body.clone()) });
    let response = next.call(request).await?;
    Ok(response.map_body(|_, answer| Held { answer: answer.boxed(), _body: body }.boxed()))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
        thread,
        time::Duration,
    };

    use actix_web::{App, HttpResponse, HttpServer, middleware::from_fn, web};

    use super::hold;

    /// Sends a chunked body for a while; says whether it was cut short, and the answer.
    fn trickle(mut socket: TcpStream) -> (bool, String) {
        let head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        socket.write_all(head).expect("a head");
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).expect("an answer before the end of the question");
        let mut send = || {
            thread::sleep(Duration::from_millis(10));
            socket.write_all(b"1\r\nx\r\n")
        };
        let cut = (0..300).any(|_| send().is_err());
        (cut, String::from_utf8_lossy(&answer).into_owned())
    }

    #[actix_web::test]
    async fn who_was_refused_cannot_go_on_sending() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = || {
            App::new()
                .default_service(web::to(|| async { HttpResponse::NotFound().body("no") }))
                .wrap(from_fn(hold))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .client_disconnect_timeout(Duration::from_millis(100))
            .listen(listener)
            .expect("a listener")
            .run();
        let handle = server.handle();
        actix_rt::spawn(server);
        let trickle = move || trickle(TcpStream::connect(address).expect("a socket"));
        let (cut, answer) = web::block(trickle).await.expect("a thread");
        assert_eq!((cut, answer.as_str()), (true, "HTTP/1.1 404"));
        handle.stop(false).await;
    }

    #[actix_web::test]
    async fn a_handler_reads_its_body_as_ever() {
        let echo = |body: web::Bytes| async move { HttpResponse::Ok().body(body) };
        let app = App::new().default_service(web::to(echo)).wrap(from_fn(hold));
        let app = actix_web::test::init_service(app).await;
        let request = actix_web::test::TestRequest::post().set_payload("hello").to_request();
        assert_eq!(actix_web::test::call_and_read_body(&app, request).await, "hello");
    }
}
