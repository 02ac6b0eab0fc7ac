from tiny_backbone import pipe, tiny_folder, ungated_folder

__all__ = ["pipe", "tiny_folder", "ungated_folder"]
