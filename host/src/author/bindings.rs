//! Bindings of the contract for languages whose own tools do not make them: C and Go. They are made anew from the
//! contract in this binary, so they cannot lag behind it.

use wit_bindgen_core::{Files, WorldGenerator};

use super::{World, contract};

mod go;

pub(super) use go::go;

/// The bindings in C, `stead.c` and `stead.h` in a folder for each world.
///
/// # Errors
/// When the contract cannot be expressed, which a test excludes.
pub(super) fn c() -> Result<Vec<(String, String)>, String> {
    let mut all = Vec::new();
    for world in World::ALL {
        let options =
            wit_bindgen_c::Opts { no_object_file: true, rename_world: Some("stead".to_owned()), ..Default::default() };
        let files = generate(&mut *options.build(), world)?;
        all.extend(files.into_iter().map(|(name, text)| (format!("{}/{name}", world.name()), text)));
    }
    Ok(all)
}

fn generate(generator: &mut dyn WorldGenerator, world: World) -> Result<Vec<(String, String)>, String> {
    let (mut resolve, package) = contract::resolve()?;
    let world = resolve.select_world(&[package], Some(world.name())).map_err(|error| format!("{error:#}"))?;
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files).map_err(|error| format!("{error:#}"))?;
    let text = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
    Ok(files.iter().map(|(name, content)| (name.to_owned(), text(content))).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_contract_can_be_expressed() {
        let c = super::c().unwrap_or_default();
        let names: Vec<_> = c.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["bootstrap/stead.c", "bootstrap/stead.h", "job/stead.c", "job/stead.h"]);
        if let Ok(folder) = std::env::var("DUMP") {
            for (lang, files) in [("c", c), ("go", super::go().unwrap_or_default())] {
                for (name, content) in files {
                    let path = std::path::Path::new(&folder).join(lang).join(name);
                    let _ = std::fs::create_dir_all(path.parent().unwrap_or(&path));
                    let _ = std::fs::write(path, content);
                }
            }
        }
    }
}
