//! What apt says it would do: the lines `Inst`, `Conf` and `Remv` of `apt-get --simulate`.

use std::collections::BTreeSet;

use super::Package;

/// What a transaction would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Simulation {
    /// Installed, upgraded or finished.
    pub changed: BTreeSet<Package>,
    /// Those of them that are not there now.
    pub new: BTreeSet<Package>,
    pub removed: BTreeSet<Package>,
}

impl Simulation {
    /// Reads what apt-get(8) wrote.
    pub(super) fn parse(text: &str) -> Self {
        let mut simulation = Self::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            let (Some(verb), Some(Ok(name))) = (words.next(), words.next().map(str::parse::<Package>)) else {
                continue;
            };
            match verb {
                // The version that is there stands in brackets: `Inst curl [1.0] (2.0 Debian [amd64])`.
                "Inst" => {
                    if !words.next().is_some_and(|word| word.starts_with('[')) {
                        simulation.new.insert(name.clone());
                    }
                    simulation.changed.insert(name);
                }
                "Conf" => {
                    simulation.changed.insert(name);
                }
                "Remv" | "Purg" => {
                    simulation.removed.insert(name);
                }
                _ => {}
            }
        }
        simulation
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::*;

    #[test]
    fn reads_what_apt_would_do() -> Result<()> {
        let text = "The following packages will be REMOVED:\n  b\nInst liba (1.0 localhost [all])\n\
                    Inst aa [1.0] (2.0 localhost [all]) []\nRemv bb [1.0]\nConf liba (1.0 localhost [all])\nConf cc (1 x)\n";
        let names = |names: &[&str]| names.iter().map(|name| name.parse()).collect::<Result<BTreeSet<_>, _>>();
        let simulation = Simulation::parse(text);
        assert_eq!(simulation.changed, names(&["liba", "aa", "cc"])?);
        assert_eq!(simulation.new, names(&["liba"])?);
        assert_eq!(simulation.removed, names(&["bb"])?);
        Ok(())
    }
}
