//! What a worker puts before every command that a task runs: `srun --exact -N {nodes}`, or
//! `apptainer exec image.sif`.

use super::nearest;

/// What stands for something else.
const PLACEHOLDERS: [&str; 3] = ["nodes", "nodelist", "slot"];

/// Words of a command line, in which placeholders stand; none of them when there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wrap(Vec<String>);

impl Wrap {
    /// Reads a command line, with quotes as a shell has them.
    pub fn parse(line: &str) -> Result<Self, String> {
        let words = shlex::split(line).ok_or("a command line whose quotes are closed")?;
        for word in &words {
            for piece in word.split('{').skip(1) {
                let name = piece.split_once('}').map(|(name, _)| name);
                if !name.is_some_and(|name| PLACEHOLDERS.contains(&name)) {
                    let name = name.unwrap_or(piece);
                    let hint = nearest::hint(name, &PLACEHOLDERS);
                    return Err(format!(
                        "a command line with {{nodes}}, {{nodelist}} and {{slot}}, and not {{{name}}}{hint}"
                    ));
                }
            }
        }
        Ok(Wrap(words))
    }

    /// The words with their placeholders.
    pub fn as_words(&self) -> &[String] {
        &self.0
    }

    /// The words for a firework in this slot, on these nodes.
    pub fn words(&self, slot: usize, nodes: &[String]) -> Vec<String> {
        let [count, slot, list] = [nodes.len().to_string(), slot.to_string(), nodes.join(",")];
        let fill =
            |word: &String| word.replace("{nodes}", &count).replace("{nodelist}", &list).replace("{slot}", &slot);
        self.0.iter().map(fill).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_within_words() {
        let wrap = Wrap::parse("env 'A=b c' srun --nodes={nodes} -w {nodelist} -o slot{slot}.out").expect("is good");
        let words = wrap.words(1, &["a".into(), "b".into()]);
        assert_eq!(words, ["env", "A=b c", "srun", "--nodes=2", "-w", "a,b", "-o", "slot1.out"]);
        assert!(Wrap::parse("").expect("is good").words(0, &[]).is_empty());
    }

    #[test]
    fn what_stands_for_nothing_is_refused() {
        for (line, part) in [
            ("srun {node}", "{node} (did you mean `nodes`?)"),
            ("srun {nodes", "not {nodes}"),
            ("srun {}", "not {}"),
            ("srun 'a", "quotes"),
        ] {
            let error = Wrap::parse(line).expect_err("is refused");
            assert!(error.contains(part), "{error}");
        }
    }
}
