//! `lpad get_launchdir`.

use crate::support::cli::Cli;

#[test]
fn says_where_a_firework_ran() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        assert_eq!(cli.lpad(&["get_launchdir", "1"]).done().stdout, "None\n");
        cli.volley(&["rlaunch", "-s", "singleshot", "-f", "1"]).done();
        let dir = cli.lpad(&["get_launchdir", "1"]).done().stdout;
        let here = cli.folder().canonicalize().expect("exists");
        assert_eq!(std::path::Path::new(dir.trim()).canonicalize().expect("exists"), here);
        assert_eq!(cli.lpad(&["get_launchdir", "1", "--launch_idx", "0"]).done().stdout, dir);
        cli.lpad(&["get_launchdir", "1", "--launch_idx", "3"]).failed(1, "firework 1 has 1 launches, none of index 3");
        cli.lpad(&["get_launchdir", "99"]).failed(1, "there is no firework 99");
        cli.lpad(&["get_launchdir"]).failed(2, "say which firework");
    }
}
