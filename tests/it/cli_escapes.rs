//! What names and outputs hold is shown, never obeyed by the terminal.

use crate::support::cli::Cli;

/// One that fails and says so with commands for the terminal, and one that nobody can run.
const EVIL: &str = r#"
name: "wf \e]0;title\a\e[2J"
fws:
- fw_id: 1
  name: "one \e[31m\e[2J\r"
  spec:
    "key\e[2J": "value\e[2J"
    _trackers: [{filename: out.txt, nlines: 5}]
    _tasks: [{_fw_name: ScriptTask, script: "printf 'a\\033[2Jb\\n' | tee out.txt >&2; exit 3"}]
- {fw_id: 2, name: "two \e[2J", spec: {_tasks: [{_fw_name: PyTask, func: nothing.at.all, args: []}]}}
"#;

#[test]
fn a_terminal_is_told_nothing_by_names_and_outputs() {
    let cli = Cli::sqlite();
    cli.write("evil.yaml", EVIL);
    cli.lpad(&["add", "evil.yaml"]).done();
    cli.rapidfire();
    let (fw_id, verbs) = (
        cli.lpad(&["get_fws", "-n", "re:^one", "-o", "ids"]).done().stdout.trim().to_owned(),
        [
            "get_fws -d more",
            "get_fws -i ID",
            "get_wflows -t",
            "get_wflows -d more",
            "explain -i ID",
            "errors",
            "errors -g 1",
            "status",
            "events -i ID",
            "graph -i ID",
            "introspect",
            "track_fws",
            "doctor",
            "check_wflow -i ID",
            "rerun_fws -i ID",
            "delete_wflows -i ID",
        ],
    );
    for verb in verbs {
        let line = format!("{} --color never", verb.replace("ID", &fw_id));
        let Some(ran) = cli.on_a_terminal(&line, "n\n") else { return };
        let said = ran.stdout + &ran.stderr;
        let shown: Vec<char> = said.chars().filter(|c| c.is_control() && !"\r\n\t".contains(*c)).collect();
        assert!(shown.is_empty() && !said.contains("\r "), "{line}: {said:?}");
    }
}
