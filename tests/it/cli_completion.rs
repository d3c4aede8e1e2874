//! `lpad completion`: what shells ask, and what they are told.

use std::path::Path;

use crate::support::cli::Cli;
use crate::support::run::Ran;

/// What bash offers for the last of these words.
fn offered(cli: &Cli, words: &[&str]) -> Vec<String> {
    let link = cli.folder().join("bin/lpad");
    if !link.exists() {
        std::fs::create_dir_all(link.parent().expect("has a parent")).expect("makes a folder");
        std::os::unix::fs::symlink(crate::support::run::VOLLEY, &link).expect("links");
    }
    let last = words.len() - 1;
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "PATH={}/bin:$PATH; source <(lpad completion bash); COMP_WORDS=({}); COMP_CWORD={last}; COMP_TYPE=9; \
         _clap_complete_lpad lpad '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        cli.folder().display(),
        quoted.join(" "),
        words[last],
        words[last - 1]
    );
    let mut command = cli.command(Path::new("bash"));
    let ran = Ran::of(command.args(["-c", &script])).done();
    ran.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn bash_is_told_verbs_states_and_ids() {
    let cli = Cli::sqlite();
    assert_eq!(offered(&cli, &["lpad", "get_fws", "-i", ""]), [""], "no launchpad, no ids");
    assert!(!cli.folder().join("launchpad.db").exists(), "asking makes none");
    let cli = cli.with_five_fireworks();
    assert_eq!(offered(&cli, &["lpad", "get_fws", "-i", ""]), ["5", "4", "3", "2", "1"]);
    assert_eq!(offered(&cli, &["lpad", "rerun_fws", "-i", "1,4"]), ["1,4"]);
    assert_eq!(offered(&cli, &["lpad", "get_fws", "-s", "READY,c"]), ["READY,COMPLETED"]);
    let verbs = offered(&cli, &["lpad", "get_"]);
    assert!(verbs.contains(&"get_wflows".to_owned()), "{verbs:?}");
}

#[test]
fn every_shell_gets_a_script_for_all_four_names() {
    let cli = Cli::unconfigured();
    for shell in ["bash", "zsh", "fish"] {
        let script = cli.lpad(&["completion", shell]).done().stdout;
        for name in ["lpad", "rlaunch", "qlaunch", "volley"] {
            assert!(script.contains(&format!(" {name}")), "{shell}: {script}");
        }
    }
    cli.lpad(&["completion", "tcsh"]).failed(2, "tcsh");
}
