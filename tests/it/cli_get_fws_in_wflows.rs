//! `lpad get_fws_in_wflows`.

use serde_json::json;

use crate::support::cli::Cli;

#[test]
fn what_is_said_of_both_must_hold() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let ids = |args: &[&str]| cli.lpad(&[&["get_fws_in_wflows", "-d", "ids"], args].concat()).json();
        assert_eq!(ids(&[]), json!([1, 2, 3, 4, 5]));
        assert_eq!(ids(&["-wfi", "4"]), json!([3, 4]));
        assert_eq!(ids(&["-wfn", "pair", "-fws", "READY"]), json!([1, 3]));
        assert_eq!(ids(&["-wfn", "re:^p", "-fwn", "second", "--rsort", "id"]), json!([4, 2]));
        assert_eq!(ids(&["-wfs", "READY", "-fwi", "4-9"]), json!([4, 5]));
        assert_eq!(ids(&["-wfq", "{'metadata.project': 'test'}", "-fwq", r#"{"spec.formula": "Si2"}"#]), json!([1, 3]));
        assert_eq!(ids(&["-wfn", "nobody"]), json!([]));
        assert_eq!(ids(&["-wfn", "pair", "-m", "1"]), json!(1));
        let count = cli.lpad(&["get_fws_in_wfs", "-wfn", "pair", "-d", "count"]).json();
        assert_eq!(count, 4);
        cli.volley(&["rlaunch", "-s", "singleshot", "-f", "5"]).done();
        assert_eq!(ids(&["-lm", "-fwq", "{'state': 'FIZZLED'}"]), 5);
        assert_eq!(ids(&["-lm", "-fwq", "{'state': 'FIZZLED'}", "-wfn", "pair"]), json!([]));
        cli.lpad(&["get_fws_in_wflows", "-wfq", "{'a':"]).failed(2, "wf_query");
        cli.lpad(&["get_fws_in_wflows", "-lm"]).failed(2, "fw_query");
    }
}
