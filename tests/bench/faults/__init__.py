"""Does a broken lab show, at the right item, with the cause named?"""
