//! Waiting for deliveries in a terminal.

use flowagg_testkit::emulator::Emulator;
use flowagg_testkit::world::World;

use crate::paper::Paper;
use crate::terminal::{CTRL_C, Run, Width};

#[tokio::test]
async fn wait_redraws_one_line_and_ctrl_c_keeps_the_result() {
    let mut world = World::new(Emulator::shared().unwrap()).await.unwrap();
    world.member("shop", 1).await.unwrap();
    world.flowagg(["apply", "--yes"]).await.unwrap().exits(0);
    let run = Run::of(&world).typing_at("1s elapsed", CTRL_C);
    let shown = run.flowagg("verify --wait 30m", Width::Columns(80)).await.exits(130);
    let written = String::from_utf8(anstream::adapter::strip_bytes(&shown.bytes).into_vec()).unwrap();
    for line in ["delivering      0/2    0s elapsed, 30m remaining", "1s elapsed, 29m 59s remaining"] {
        assert!(written.contains(line), "{written}");
    }
    let text = Paper::of(&world).on_paper(&shown.text());
    // The terminal shows `^C` on the line of the progress bar, which is full.
    let (_, text) = text.split_once("remaining").unwrap();
    snapbox::assert_data_eq!(
        text.trim_start_matches(' '),
        snapbox::str![[r#"
~ 222222222222  shop  2 waiting

waiting: 2 flow logs: new, no objects yet
       run `flowagg verify --wait 30m` to wait for them
  ~ 222222222222  shop  eu-west-1  vpc-0123456789abcdef0  fl-0123456789abcdef0
  ~ 222222222222  shop  us-east-1  vpc-0123456789abcdef1  fl-0123456789abcdef1

  resources  2 of 2 (100 %) have a flow log
  flow logs  0 of 2 (0 %) deliver, 2 waiting

interrupted: 0 of 2 flow logs deliver; remaining: 2 waiting
next: run `flowagg verify` again

"#]]
    );
}
