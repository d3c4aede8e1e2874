//! Cases of TemplateWriterTask.

use serde_json::{Value, json};

use super::{Case, compare};

fn task(template: &str, more: Value) -> Value {
    let mut task = json!({
        "_fw_name": "TemplateWriterTask", "template_file": template, "template_dir": ".", "output_file": "out.txt",
        "context": {
            "name": "Cu", "n": 12, "x": 0.25, "small": 1e-6, "big": 1e20, "yes": true, "nothing": null,
            "list": [1, 2.5, "three"], "cell": [[0.0, 1.8], [1.8, 0.0]],
            "incar": {"ENCUT": 520, "EDIFF": 1e-5, "ALGO": "Fast"}, "lines": "a\nb",
        },
    });
    task.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    task
}

const TEMPLATES: [&str; 32] = [
    "plain\n",
    "no newline",
    "two newlines\n\n",
    "dos\r\nlines\r\n",
    "{{ name }} {{ n }} {{ x }} {{ small }} {{ big }} {{ yes }} {{ nothing }} {{ undefined }}",
    "{{ list }} {{ cell }} {{ cell[0][1] }} {{ list[-1] }}",
    "{{ list|join(', ') }} {{ cell|map('join', ' ')|join('; ') }} {{ [small, x]|join(' ') }}",
    "{% for key, value in incar.items() %}{{ key }} = {{ value }}\n{% endfor %}",
    "{% for key in incar %}{{ loop.index }}{{ key }}{% if not loop.last %},{% endif %}{% endfor %}",
    "{% for row in cell %}{{ '%10.6f %10.6f'|format(row[0], row[1]) }}\n{% endfor %}",
    "{{ '{:>8.3f}|{:<5}|{:05d}'.format(x, name, n) }}",
    "{% if n > 10 and yes %}many{% elif n == 0 %}none{% else %}few{% endif %}",
    "  {%- if yes -%}  trimmed  {%- endif -%}  \n end",
    "{% set total = n * 2 + 1 %}{{ total }} {{ n / 5 }} {{ n // 5 }} {{ n % 5 }} {{ n ** 2 }} {{ 2 ** -1 }}",
    "{{ x|round(1) }} {{ 2.567|round(2) }} {{ n|float }} {{ '7'|int + 1 }} {{ -3|abs }}",
    "{{ name|upper }} {{ name.lower() }} {{ name|length }} {{ 'a b'|title }} {{ ' a '|trim }}|",
    "{{ name.ljust(4) }}|{{ name.rjust(4) }}|{{ name.center(5) }}|{{ '7'.zfill(3) }}|{{ name|center(6) }}|",
    "{{ undefined|default('none') }} {{ incar.get('ISPIN', 1) }} {{ incar['ENCUT'] }} {{ incar.ALGO }}",
    "{% macro line(key, value=1) %}{{ key }}: {{ value }}{% endmacro %}{{ line('a') }} {{ line('b', 2) }}",
    "{% include 'part.txt' %}after",
    "{% extends 'base.txt' %}{% block body %}mine{% endblock %}",
    "{% import 'macros.txt' as m %}{{ m.twice('x') }}",
    "{# a comment #}{% raw %}{{ raw }}{% endraw %}",
    "{{ lines|indent(2) }} {{ lines.split('\n')|length }} {{ lines|replace('a', 'x') }}",
    "{{ list|first }} {{ list|last }} {{ [3, 1, 2]|sort }} {{ [3, 1, 2]|max }} {{ [1, 2, 3]|sum }} {{ range(3)|list }}",
    "{{ 'yes' if yes else 'no' }} {{ n is divisibleby 3 }} {{ undefined is defined }} {{ 3 in list }} {{ name ~ n }}",
    "{% set ns = namespace(i=0) %}{% for v in list %}{% set ns.i = ns.i + 1 %}{% endfor %}{{ ns.i }}",
    "{{ list|map('string')|list }} {{ (1, 2) }} {{ incar }} {{ 1.0 }} {{ 100 / 10 }}",
    "{{ undefined.attribute }}",
    "{% if %}",
    "{{ name|nosuchfilter }}",
    "{% include 'none.txt' %}",
];

fn with_parts(case: Case) -> Case {
    case.with("part.txt", "part of {{ name }}\n")
        .with("base.txt", "begin {% block body %}default{% endblock %} end\n")
        .with("macros.txt", "{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}\n")
}

#[test]
fn templates_are_rendered() {
    let cases: Vec<Case> = TEMPLATES
        .iter()
        .map(|template| {
            let case = with_parts(Case::new(task("in.txt", json!({})), json!({})).with("in.txt", template));
            // Quotes are all that is escaped in these.
            let printed = [" {{ incar }} ", "{{ list }} {{ cell }}", "|list }} {{ (1"];
            let is_escaped = printed.iter().any(|part| template.contains(part));
            if is_escaped { case.but("quotes are escaped as in HTML") } else { case }
        })
        .collect();
    compare(&cases);
}

#[test]
fn templates_are_found_and_written() {
    let mut cases = Vec::new();
    for append in [false, true] {
        for present in [false, true] {
            for folder in [json!({}), json!({"template_dir": "below"}), json!({"output_file": "none/out.txt"})] {
                let mut more = folder;
                more["append"] = json!(append);
                let case = with_parts(Case::new(task("in.txt", more.clone()), json!({})));
                let case = case.with("in.txt", "{{ name }}\n").with("below/in.txt", "below {{ n }}\n");
                let is_written = more.get("output_file").is_none();
                let case = if present { case.with("out.txt", "before\n") } else { case };
                cases.push(if append && present && is_written { case.but("`append` overwrites") } else { case });
            }
        }
    }
    cases.push(Case::new(task("none.txt", json!({})), json!({})));
    let global = json!({"_fw_name": "TemplateWriterTask", "use_global_spec": true});
    cases.push(Case::new(global.clone(), task("in.txt", json!({}))).with("in.txt", "{{ name }} {{ cell[0] }}\n"));
    cases.push(Case::new(global, json!({})));
    let escaped = task("in.txt", json!({"context": {"less": "a < b & 'c'"}}));
    let case = Case::new(escaped, json!({})).with("in.txt", "{{ less }}\n");
    cases.push(case.but("values are escaped as in HTML"));
    compare(&cases);
}
