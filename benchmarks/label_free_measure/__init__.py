"""Which label-free measure orders retrievers as real questions do?"""
