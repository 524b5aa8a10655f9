//! Storage.

use crate::change::trim::Trim;

/// `PersistentVolumeClaim`s. To which volume one is bound is its controller's doing.
pub(super) fn trim_claim(trim: &mut Trim<'_>) {
    for key in ["resources", "storageClassName", "accessModes", "volumeMode", "volumeAttributesClassName"] {
        trim.walk(key, trim.part(&format!("/spec/{key}")));
    }
}

/// `PersistentVolume`s.
pub(super) fn trim_volume(trim: &mut Trim<'_>) {
    for (key, value) in trim.part("/spec").as_object().into_iter().flatten() {
        if key != "claimRef" {
            trim.walk(key, value);
        }
    }
}

/// `StorageClass`es.
pub(super) fn trim_class(trim: &mut Trim<'_>) {
    let keys =
        ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode", "allowVolumeExpansion", "mountOptions"];
    for key in keys {
        trim.walk(key, trim.part(&format!("/{key}")));
    }
    trim.annotations();
}
