//! A page that is served in this process, on a thread of its own as in the mouth.

use std::sync::mpsc::channel;
use std::time::Duration;

use kehai::config::PageDoor;
use kehai::publish::PublishError;
use kehai::publish::web::{Page, serve};

/// Serves what `make` makes at a door, and comes back once it is served.
pub fn serve_page(make: impl Fn() -> Page + Send + 'static, door: PageDoor) {
    let (sender, is_served) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            // A process that another test is just starting holds for a moment what this one held.
            while let Err(error) = serve(make(), &door).await {
                assert!(matches!(error, PublishError::PortInUse { .. }), "{error}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            sender.send(()).expect("somebody waits for it");
            std::future::pending::<()>().await;
        });
    });
    is_served.recv().expect("the page is served");
}
