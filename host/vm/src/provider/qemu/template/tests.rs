//! Keeping and resuming, with a machine whose firmware finds nothing to boot.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::provider::qemu::Settings;

struct Machines {
    place: Place,
    folder: tempfile::TempDir,
    image: Image,
}

const SIZE: Measured = Measured { cpus: 1, memory_mib: 32, disk_gib: 0 };

impl Machines {
    fn new() -> Self {
        let folder = tempfile::Builder::new().permissions(folder::passable()).tempdir().unwrap();
        let settings =
            Settings { folder: folder.path().join("s"), accelerator: Some(Accel::Tcg), memory_mib: None, user: None };
        let qemu = Qemu::new("tests".parse().unwrap(), settings).unwrap();
        fs::write(folder.path().join("empty"), [0; 4096]).unwrap();
        let digest = qemu.images().import(&folder.path().join("empty"), None).unwrap();
        let place = std::sync::Arc::try_unwrap(qemu.place).unwrap();
        let image = place.images.get(digest.as_str()).unwrap();
        Self { place, folder, image }
    }

    fn start(&self, name: &str, memory: Memory<'_>, below: Option<&Path>) -> PathBuf {
        let folder = self.place.machines.join(name);
        folder::make_passable(&folder).unwrap();
        let request = template_request(self.image.digest.as_str(), &Size::Type(String::new())).unwrap();
        disk::create(&folder.join(disk::NAME), &self.image, below, 0).unwrap();
        seed::write(&folder.join(seed::NAME), &request).unwrap();
        let user = self.place.settings.user();
        if let Some(user) = user {
            disk::give(&folder.join(disk::NAME), user).unwrap();
        }
        let network = Network::Closed;
        let machine =
            Machine { folder: &folder, image: &self.image, size: SIZE, network, accel: Accel::Tcg, user, memory };
        make::start_on_some_port(&machine).unwrap();
        folder
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        for machine in process::all(&self.place.machines).unwrap().into_keys() {
            let _ = process::end(&self.place.machines, &machine, END_LIMIT);
        }
    }
}

#[test]
fn several_machines_go_on_from_one_template() {
    let machines = Machines::new();
    let template = machines.folder.path().join("template");
    let made = machines.start("made", Memory::Recorded, None);
    fs::create_dir(made.join(KEYS)).unwrap();
    keep(&made, &template).unwrap();
    assert!(process::all(&machines.place.machines).unwrap().is_empty());
    let memory = fs::read(template.join(MEMORY)).unwrap();
    for name in ["one", "two"] {
        let folder = machines.start(name, Memory::Resumed(&template), Some(&template.join(disk::NAME)));
        let devices = File::open(template.join(DEVICES)).unwrap();
        // Its last word is to go on, which fails where the disk cannot be taken.
        Qmp::connect(&folder).unwrap().resume(&devices).unwrap();
    }
    assert_eq!(process::all(&machines.place.machines).unwrap().len(), 2);
    assert_eq!(fs::read(template.join(MEMORY)).unwrap(), memory, "a machine has written to its template");
}
