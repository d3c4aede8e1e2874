//! `lpad wait`: the exit code tells how a workflow ended.

use crate::support::cli::Cli;

#[test]
fn the_exit_code_is_the_outcome() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        assert_eq!(cli.lpad(&["wait", "-i", "1", "--timeout", "10ms"]).code, 6, "nobody runs it");
        cli.rapidfire();
        assert_eq!(cli.lpad(&["wait", "-i", "1"]).done().stdout, "");
        assert_eq!(cli.lpad(&["wait", "-i", "5"]).code, 5);
        cli.lpad(&["wait", "-i", "99"]).failed(1, "there is no firework 99");
        cli.lpad(&["wait", "-i", "1", "--timeout", "soon"]).failed(2, "`soon` is no duration");
    }
}

#[test]
fn it_waits_while_something_runs() {
    let cli = Cli::sqlite().with_five_fireworks();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| cli.lpad(&["wait", "-i", "2", "--timeout", "120s"]));
        cli.rapidfire();
        waiting.join().expect("ends").done();
    });
}
